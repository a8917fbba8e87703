import type { Telemetry } from '../core/ports.ts';

/** What the dispatcher needs. */
export interface DispatchRenewalsHandlerDeps {
  dispatchRenewals: () => Promise<{ sent: number; oldestOverdueMs: number }>;
  telemetry: Telemetry;
}

/** Started by the schedule once a minute; the event says nothing that is needed. A failed tick is healed by the next one. */
export function dispatchRenewalsHandler({ dispatchRenewals, telemetry }: DispatchRenewalsHandlerDeps): () => Promise<unknown> {
  return async () => {
    try {
      return await dispatchRenewals();
    } catch (error) {
      telemetry.log('error', 'A dispatch failed', {}, error);
      throw error;
    }
  };
}
