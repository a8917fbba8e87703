import type { ProviderEvent } from '../support/processes/provider-messages.ts';
import { fasterTiming, LOCK_WINDOW_MS } from './families.ts';

/** A request that reached the provider. */
interface Request {
  attempt: string;
  sent: 'login' | 'refresh' | 'revoke';
  user: string;
  atMs: number;
}

/** A log-in as the provider saw it. Unanswered until somebody got its answer and lived on. */
interface LogIn {
  attempt: string;
  atMs: number;
  answered: boolean;
}

/** What is known of one account. */
interface AccountLog {
  logIns: LogIn[];
  /** attempts that held the account's lease when their process was killed */
  wounds: string[];
  /** the attempt that the session's newest tokens went to */
  newest: string;
  lost: number;
}

/** Everything that the parent saw of one campaign; what it must amount to is judged at the end. */
export class Ledger {
  kills = 0;
  renewals = 0;
  sessionsDied = 0;
  refusedByProvider = 0;
  mostUnanswered = 0;
  readonly outcomes: Record<string, number> = {};
  readonly accounts = new Map<string, AccountLog>();
  readonly #requests = new Map<number, Request>();

  /** @returns the request that a `handled` speaks of */
  take(event: ProviderEvent, nowMs: number): Request | undefined {
    if (event.kind === 'session_died') this.sessionsDied += 1;
    if (event.kind === 'arrived') this.#arrive({ ...event, user: event.user ?? '', atMs: nowMs }, event.id);
    if (event.kind === 'closed') this.#close(event.id, event.delivered);
    return event.kind === 'handled' ? this.#handle(event.id, event.good) : undefined;
  }

  /** A process was killed while this attempt held the account's lease: its refresh token is in doubt, or lost. */
  wound(user: string, attempt: string): void {
    const account = this.#account(user);
    account.wounds.push(attempt);
    if (account.newest === attempt) account.lost += 1;
    const logIn = account.logIns.find((each) => each.attempt === attempt);
    if (logIn) logIn.answered = false;
  }

  count(outcomes: Record<string, number>): void {
    for (const [word, times] of Object.entries(outcomes)) this.outcomes[word] = (this.outcomes[word] ?? 0) + times;
  }

  /** @returns a sum over all accounts */
  total(of: (account: AccountLog) => number): number {
    return [...this.accounts.values()].reduce((sum, account) => sum + of(account), 0);
  }

  #account(user: string): AccountLog {
    const account = this.accounts.get(user) ?? { logIns: [], wounds: [], newest: '', lost: 0 };
    this.accounts.set(user, account);
    return account;
  }

  #arrive(request: Request, id: number): void {
    this.#requests.set(id, request);
    if (request.sent !== 'login') return;
    const { logIns } = this.#account(request.user);
    const windowMs = logIns.some(({ answered }) => answered) ? fasterTiming.provenLapseMs : LOCK_WINDOW_MS;
    const open = logIns.filter(({ answered, atMs }) => !answered && request.atMs - atMs < windowMs).length;
    this.mostUnanswered = Math.max(this.mostUnanswered, open + 1);
    logIns.push({ attempt: request.attempt, atMs: request.atMs, answered: false });
  }

  #handle(id: number, good: boolean): Request | undefined {
    const request = this.#requests.get(id);
    if (!request) return undefined;
    if (!good) this.refusedByProvider += 1;
    const account = this.#account(request.user);
    if (good) account.newest = request.attempt;
    if (good && (request.sent === 'refresh' || account.logIns.length > 1)) this.renewals += 1;
    return request;
  }

  #close(id: number, delivered: boolean): void {
    const request = this.#requests.get(id);
    this.#requests.delete(id);
    if (!request || request.sent !== 'login' || !delivered) return;
    const { logIns, wounds } = this.#account(request.user);
    const logIn = logIns.find(({ attempt }) => attempt === request.attempt);
    if (logIn && !wounds.includes(request.attempt)) logIn.answered = true;
  }
}
