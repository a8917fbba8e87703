import type { Authority } from '../authority.ts';
import type { Control, Simulator, SimulatorOptions } from './simulator.ts';
import { aminoUser, startAminoSimulator } from './amino.ts';
import { movingimageVmsUser, startMovingimageVmsSimulator } from './movingimage-vms.ts';
import { movingimageUser, startMovingimageSimulator } from './movingimage.ts';
import { startVidizmoSimulator, vidizmoUser } from './vidizmo.ts';

/** What a demo account's secret depends on. */
export interface Place {
  /** of the simulator */
  origin: string;
  /** of the tokens that it gives */
  lifeSeconds: number;
}

/** A provider's simulator and the account that it knows. */
export interface Simulated {
  start(options: SimulatorOptions): Promise<Simulator>;
  /** @returns the secret's JSON; nothing in it is a credential of anybody */
  secret(place: Place): Readonly<Record<string, unknown>>;
}

/** Every provider's simulator, listed once: what runs, is vended and is toured locally and in the tests follows from it. */
export const simulated = {
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
    secret: ({ origin, lifeSeconds }) => ({
      base_url: origin,
      email: vidizmoUser.email,
      password: vidizmoUser.password,
      life_seconds: lifeSeconds,
    }),
  },
} satisfies Record<string, Simulated>;

export type SimulatedProvider = keyof typeof simulated;

/** An account of a simulator: what would stand in Secrets Manager under `{prefix}/{provider}/{account}`. */
export interface DemoAccount {
  provider: SimulatedProvider;
  account: string;
  /** the secret's JSON */
  secret: Readonly<Record<string, unknown>>;
}

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

/** Starts every provider's simulator; where one cannot start, none is left running. */
export async function startSimulators({ ports = {}, settings = {}, ...options }: SimulatorsOptions): Promise<Simulators> {
  const running: Partial<Record<SimulatedProvider, Simulator>> = {};
  const close = async (): Promise<void> => {
    await Promise.all(Object.values(running).map((simulator) => simulator.close()));
  };
  try {
    for (const id of ids()) running[id] = await simulated[id].start({ ...options, ...settings, port: ports[id] });
  } catch (error) {
    await close();
    throw error;
  }
  return { ...listed(running), close };
}

function listed(running: Partial<Record<SimulatedProvider, Simulator>>): Omit<Simulators, 'close'> {
  if (!areAll(running)) throw new Error('a simulator is missing');
  const origins = Object.values(running).map(({ origin }) => origin);
  const accounts = ids().map((id) => {
    const { origin, control } = running[id];
    return { provider: id, account: 'main', secret: simulated[id].secret({ origin, lifeSeconds: control.lifeSeconds }) };
  });
  return { byProvider: running, origins, accounts };
}

function ids(): SimulatedProvider[] {
  return Object.keys(simulated).filter(isSimulated);
}

function isSimulated(id: string): id is SimulatedProvider {
  return Object.hasOwn(simulated, id);
}

function areAll(running: Partial<Record<SimulatedProvider, Simulator>>): running is Record<SimulatedProvider, Simulator> {
  return ids().every((id) => running[id] !== undefined);
}
