import type { VendingConfig } from './vending-config.ts';

export const config: VendingConfig = {
  name: 'token-vending',
  everyStage: {
    // IAM needs nothing else set up. A JWT issuer instead: { issuer: 'https://…', audience: '…', scope: 'tokens' }
    callers: 'iam',
    // Who may do what with which accounts. Nobody may do anything without one. For example:
    // { caller: 'arn:aws:iam::111122223333:role/importer', operations: ['vend'], accounts: ['vidizmo/main'] }
    // The role itself must be allowed to call, too: docs/callers.md shows its policy.
    grants: [],
    // Providers in a private network, by origin: 'https://video.intranet.example'
    privateOrigins: [],
  },
  stages: {
    production: { production: true },
  },
};
