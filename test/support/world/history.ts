import type { AccountItem } from '../../../functions/core/account.ts';
import type { RenewCommand } from '../../../functions/core/renewal.ts';
import type { AccountRef, TokenParameters, TokenSet, TokenSetItem } from '../../../functions/core/token-set.ts';
import type { VendCommand, VendOutcome } from '../../../functions/core/vend-token.ts';
import type { Fate, Handled } from './fake-provider.ts';

/** Fields of every event. */
interface Happened {
  /** true time, ms since the epoch */
  atMs: number;
  /** which function instance did it, and how far its clock is off */
  instance: number;
  offsetMs: number;
  /** which command it worked on: a number per command, so that an instance's commands can be told apart */
  work: number;
  command?: RenewCommand | undefined;
}

/** What a stored token set holds, and how its refresh token would fare at the provider. */
export interface Stored {
  tokenSet: TokenSet;
  refresh: Fate | 'spent' | 'unknown' | 'none';
}

/** A conditional write to a token set. */
export interface SetWrite extends Happened {
  kind: 'write';
  op: string;
  /** `partition sort` */
  key: string;
  attempt?: string | undefined;
  /** the generation in the request's condition */
  generation?: number | undefined;
  applied: boolean;
  before: TokenSetItem | undefined;
  after: TokenSetItem | undefined;
  /** what is sealed in `after` */
  stored?: Stored | undefined;
}

/** A compare-and-set of an account item. */
export interface AccountWrite extends Happened {
  kind: 'account';
  account: string;
  applied: boolean;
  before: AccountItem | undefined;
  /** what was to be written */
  item: AccountItem;
}

/** A strong read of an account item. */
export interface AccountRead extends Happened {
  kind: 'account_read';
  account: string;
  item: AccountItem | undefined;
}

/** A request to the provider, as the provider handled it. */
export interface Call extends Happened, Handled {
  kind: 'call';
  account: string;
  /** the token set that the command is about */
  key: string;
  item: TokenSetItem | undefined;
  stored?: Stored | undefined;
  /** the account item at that moment */
  present: AccountItem | undefined;
  /** the session's fate after the request */
  fateAfter?: Fate | undefined;
  /** when it left, which is earlier than its handling where the network was slow */
  sentAtMs: number;
  /** how many events had happened when it left */
  sentAfter: number;
  answerLost: boolean;
}

/** A vend from beginning to end. */
export interface Vend {
  kind: 'vend';
  atMs: number;
  startedAtMs: number;
  offsetMs: number;
  command: VendCommand;
  key: string;
  /** generation of the token that the caller reports */
  reported?: number | undefined;
  /** true end of the token that was handed out, ms since the epoch */
  trueEndMs?: number | undefined;
  outcome: VendOutcome | { kind: 'failed'; code: string };
}

/** What the account's secret says. */
export interface SecretNow {
  version: string;
  host: string;
  user: string;
}

/** Somebody deleted a token set's item: TTL, or by hand. */
export interface Deletion {
  kind: 'deleted';
  atMs: number;
  key: string;
}

export type HistoryEvent = SetWrite | AccountWrite | AccountRead | Call | Vend | Deletion;

/** @returns how the world names an account and a token set */
export function accountName(ref: AccountRef): string {
  return `${ref.provider}/${ref.account}`;
}

/** @returns parameters as the fake provider writes them into its tokens */
export function parametersText(parameters: TokenParameters): string {
  return JSON.stringify(Object.getOwnPropertyNames(parameters).map((name) => [name, parameters[name]]));
}
