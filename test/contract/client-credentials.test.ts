import { clientCredentials, simulatedClientCredentials } from '../support/client-credentials.ts';
import { describeProvider } from './provider.ts';

// None of the service's own providers lacks a refresh, or knows an app by its own secret; one that does keeps the contract, too.
describeProvider(clientCredentials, simulatedClientCredentials, {
  refused: 'client_refused',
  refreshes: false,
  givesRefreshTokens: false,
  defaultLifeSeconds: 300,
  variants: [0],
  revokes: false,
});
