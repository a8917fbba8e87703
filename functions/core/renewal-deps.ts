import type { AccountItem } from './account.ts';
import type { CallProvider } from './call-provider.ts';
import type { Call, CallFacts } from './choose-call.ts';
import type { View } from './judge.ts';
import type { Clock, DataKeys, ProviderSecrets, Randomness, Telemetry, TokenStore } from './ports.ts';
import type { CommonCredentials, Provider, Traits } from './provider.ts';
import type { Sealer } from './seal.ts';
import type { Timing } from './timing.ts';
import type { AccountRef, TokenParameters, TokenSet, TokenSetKey } from './token-set.ts';

/** The decisions of the protocol that a mistake would make expensive; injected so that the property tests can break them. */
export interface Rules {
  /** step 4 */
  chooseCall(facts: CallFacts): Call;
  /** step 7 */
  mayRevokeSpare(facts: SpareFacts): boolean;
}

/** What is known when a commit was refused and a token set is left over. */
export interface SpareFacts {
  /** how the left-over set was obtained */
  call: Call;
  acquiredGeneration: number;
  storedGeneration: number;
  traits: Traits;
}

/** Everything that a renewal needs, as `createRenewTokenSet` composes it. */
export interface RenewalDeps {
  store: TokenStore;
  secrets: ProviderSecrets;
  keys: DataKeys;
  sealer: Sealer;
  callProvider: CallProvider;
  clock: Clock;
  random: Randomness;
  telemetry: Telemetry;
  timing: Timing;
  providers: ReadonlyMap<string, Provider>;
  rules: Rules;
  /** partitions of the due index */
  dueShards: number;
  /** sets obtained before it count as in doubt, ms since the epoch */
  restoreEpochMs?: number | undefined;
  /** highest number of living token sets of one account */
  maxTokenSets: number;
}

/** What step 2 read: everything that a renewal decides on. */
export interface Situation {
  ref: AccountRef;
  key: TokenSetKey;
  parameters: TokenParameters;
  account: AccountItem;
  view: View;
  /** the stored set, where it is of the account's identity */
  tokenSet: TokenSet | undefined;
  provider: Provider;
  credentials: CommonCredentials;
  /** the secret was read past the cache, after the account item */
  secretIsFresh: boolean;
  traits: Traits;
}
