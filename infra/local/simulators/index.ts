import type { Authority } from '../authority.ts';
import type { Control, Simulator, SimulatorOptions } from './simulator.ts';
import { aminoUser, startAminoSimulator } from './amino.ts';
import { movingimageVmsUser, startMovingimageVmsSimulator } from './movingimage-vms.ts';
import { movingimageUser, startMovingimageSimulator } from './movingimage.ts';
import { startVidizmoSimulator, vidizmoUser } from './vidizmo.ts';

/** An account of a simulator: what would stand in Secrets Manager under `{prefix}/{provider}/{account}`. */
export interface DemoAccount {
  provider: string;
  account: string;
  /** the secret's JSON */
  secret: Readonly<Record<string, unknown>>;
}

interface Entry {
  start(options: SimulatorOptions): Promise<Simulator>;
  secret(running: Simulator): Readonly<Record<string, unknown>>;
}

/** Every provider's simulator with its demo account. Nothing here is a credential of anybody. */
const entries = {
  amino: {
    start: startAminoSimulator,
    secret: ({ origin }) => ({ base_url: origin, username: aminoUser.username, password: aminoUser.password, logout_service: 'demo' }),
  },
  movingimage: {
    start: startMovingimageSimulator,
    secret: ({ origin }) => ({ base_url: origin, username: movingimageUser.username, password: movingimageUser.password }),
  },
  'movingimage-vms': {
    start: startMovingimageVmsSimulator,
    secret: ({ origin }) => ({ base_url: origin, username: movingimageVmsUser.username, password: movingimageVmsUser.password }),
  },
  vidizmo: {
    start: startVidizmoSimulator,
    // Nothing in its answers tells a life, so the secret must.
    secret: ({ origin, control }) => ({
      base_url: origin,
      email: vidizmoUser.email,
      password: vidizmoUser.password,
      life_seconds: control.lifeSeconds,
    }),
  },
} satisfies Record<string, Entry>;

export type SimulatedProvider = keyof typeof entries;

export interface SimulatorsOptions {
  authority: Authority;
  /** 127.0.0.2 unless given */
  host?: string | undefined;
  /** fixed ports by provider; a free one where absent */
  ports?: Partial<Record<SimulatedProvider, number>> | undefined;
  /** the same key recognises its tokens after a restart */
  signingKey?: string | undefined;
  /** for all of them, for example short lives */
  settings?: Partial<Control> | undefined;
}

export interface Simulators {
  byProvider: Readonly<Record<SimulatedProvider, Simulator>>;
  /** for `egress.privateOrigins` */
  origins: readonly string[];
  /** account `main` of every provider */
  accounts: readonly DemoAccount[];
  close(): Promise<void>;
}

/** Starts every provider's simulator. */
export async function startSimulators({ ports = {}, settings = {}, ...options }: SimulatorsOptions): Promise<Simulators> {
  const start = (id: SimulatedProvider): Promise<Simulator> => entries[id].start({ ...options, ...settings, port: ports[id] });
  const byProvider = {
    amino: await start('amino'),
    movingimage: await start('movingimage'),
    'movingimage-vms': await start('movingimage-vms'),
    vidizmo: await start('vidizmo'),
  };
  const running = Object.values(byProvider);
  const account = (id: SimulatedProvider): DemoAccount => ({ provider: id, account: 'main', secret: entries[id].secret(byProvider[id]) });
  return {
    byProvider,
    origins: running.map(({ origin }) => origin),
    accounts: [account('amino'), account('movingimage'), account('movingimage-vms'), account('vidizmo')],
    async close() {
      await Promise.all(running.map((simulator) => simulator.close()));
    },
  };
}
