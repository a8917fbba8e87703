import type { VendingConfig } from '../../infra/vending-config.ts';

const { E2E_ISSUER = '', E2E_PRIVATE_ORIGINS = '' } = process.env;

/** The deployment test's configuration: callers of its own issuer, and providers on loopback. */
export const config: VendingConfig = {
  name: 'tokens',
  everyStage: {
    callers: { issuer: E2E_ISSUER, audience: 'tokens', scope: 'tokens:use' },
    grants: [
      { caller: `${E2E_ISSUER}#importer`, operations: ['vend'], accounts: ['vidizmo/*'] },
      { caller: `${E2E_ISSUER}#operator`, operations: ['vend', 'revoke', 'inspect', 'reset'], accounts: ['*'] },
    ],
    privateOrigins: E2E_PRIVATE_ORIGINS.split(' '),
  },
  stages: {},
};
