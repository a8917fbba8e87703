import { MOST_SHARDS } from '../functions/core/dispatch-renewals.ts';
import * as z from 'zod';
import type { TokenVendingProps } from './token-vending.ts';

/** What one stage is told; everything else has the construct's defaults. */
export type StageConfig = Pick<
  TokenVendingProps,
  | 'production'
  | 'secretPrefix'
  | 'callers'
  | 'grants'
  | 'privateOrigins'
  | 'throttle'
  | 'renewalConcurrency'
  | 'dueShards'
  | 'maxTokenSets'
  | 'restoreEpochMs'
>;

/** What `infra/vending.config.ts` exports: no secrets, reviewed like code. */
export interface VendingConfig {
  /** the deployment of a stage is called `{name}-{stage}` */
  name: string;
  /** what every stage is told */
  everyStage: StageConfig;
  /** what a stage of that name is told besides; a stage that is not listed is a sandbox */
  stages: Readonly<Record<string, StageConfig>>;
}

const positive = z.int().positive();

const stageConfig = z.strictObject({
  production: z.boolean().optional(),
  secretPrefix: z.string().optional(),
  callers: z
    .union([z.literal('iam'), z.strictObject({ issuer: z.url(), audience: z.string().min(1), scope: z.string().regex(/^\S+$/) })])
    .optional(),
  // Each grant is checked where it is written.
  grants: z.array(z.custom<NonNullable<StageConfig['grants']>[number]>()).optional(),
  privateOrigins: z.array(z.url()).optional(),
  throttle: z.strictObject({ ratePerSecond: positive, burst: positive }).optional(),
  renewalConcurrency: z.int().min(2).max(1000).optional(),
  dueShards: z.int().min(1).max(MOST_SHARDS).optional(),
  maxTokenSets: positive.optional(),
  restoreEpochMs: positive.optional(),
}) satisfies z.ZodType<StageConfig>;

const vendingConfig = z.strictObject({
  name: z.string().regex(/^[a-zA-Z][\w-]{0,30}$/),
  everyStage: stageConfig,
  stages: z.record(z.string(), stageConfig),
}) satisfies z.ZodType<VendingConfig>;

/**
 * Checks a configuration, because Node runs it without looking at its types.
 *
 * @param exported what the configuration file exports as `config`
 * @throws Error that names every member that breaks a rule
 */
export function readConfig(exported: unknown): VendingConfig {
  const parsed = vendingConfig.safeParse(exported);
  if (parsed.success) return parsed.data;
  throw new Error(`The configuration breaks a rule:\n${z.prettifyError(parsed.error)}`);
}
