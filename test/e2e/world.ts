import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { createAuthority } from '../../infra/local/authority.ts';
import { startSimulators } from '../../infra/local/simulators/index.ts';
import type { Simulators } from '../../infra/local/simulators/index.ts';
import { startMinistack } from '../support/ministack.ts';
import type { Ministack } from '../support/ministack.ts';
import { createCaller } from './callers.ts';
import type { Caller } from './callers.ts';
import { account, createCloud, environmentFor, region } from './cloud.ts';
import type { Cloud } from './cloud.ts';
import { createDeployments } from './deployments.ts';
import type { Deployments } from './deployments.ts';
import { startCompanion } from './processes.ts';

/** VIDIZMO's sets are renewed 90 s before their end, so this life makes the schedule renew after a minute. */
const lifeSeconds = 150;

/** Everything that the deployment test talks to. */
export interface World {
  emulator: Ministack;
  cloud: Cloud;
  caller: Caller;
  simulators: Simulators;
  deployments: Deployments;
  stop(): Promise<void>;
}

/** Starts emulator, issuer and simulators; nothing of it needs anything outside of this machine once it is installed. */
export async function startWorld(): Promise<World> {
  const directory = await mkdtemp(path.join(tmpdir(), 'token-vending-e2e-'));
  const authority = await createAuthority();
  const certificate = await authority.issue(['127.0.0.1']);
  const place = async (name: string, pem: string): Promise<string> => {
    const file = path.join(directory, name);
    await writeFile(file, pem, { mode: 0o600 });
    return file;
  };
  const NODE_EXTRA_CA_CERTS = await place('authority.pem', authority.caPem);
  setDefaultCACertificates([...getCACertificates('default'), authority.caPem]);
  const simulators = await startSimulators({ authority, settings: { lifeSeconds } });
  const issuer = await startCompanion('test/e2e/issuer.ts');
  const emulator = await startMinistack({
    env: {
      // It checks signatures and the policies of roles, buckets and queues; those admit nobody without TLS.
      AUTH: 'true',
      USE_SSL: '1',
      MINISTACK_SSL_CERT: await place('emulator.pem', certificate.certPem),
      MINISTACK_SSL_KEY: await place('emulator-key.pem', certificate.keyPem),
      NODE_EXTRA_CA_CERTS,
    },
  });
  // The CDK CLI takes its authorities from AWS_CA_BUNDLE.
  const env = { ...environmentFor(emulator.endpoint), NODE_EXTRA_CA_CERTS, AWS_CA_BUNDLE: NODE_EXTRA_CA_CERTS };
  // The clients of this process go to the emulator as well.
  Object.assign(process.env, env);
  const configured = { ...env, E2E_ISSUER: issuer.firstLine, E2E_PRIVATE_ORIGINS: simulators.origins.join(' ') };
  return {
    emulator,
    cloud: createCloud(emulator.endpoint),
    caller: createCaller(issuer.firstLine),
    simulators,
    deployments: createDeployments(configured, account, region),
    async stop() {
      await emulator.stop();
      await issuer.stop();
      await simulators.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
