import type { AccountView, ManageAccounts, ManageOutcome } from '../../functions/core/manage-accounts.ts';
import type { Clock, Renewals } from '../../functions/core/ports.ts';
import type { Outcome } from '../../functions/core/renewal.ts';
import type { AccountRef } from '../../functions/core/token-set.ts';
import { partitionOf } from '../../functions/core/token-set.ts';
import type { Command } from './arguments.ts';
import { describeAccount, moment, refusalWords, rowOf, table } from './words.ts';

/** What the commands work with. */
export interface CommandDeps {
  manage: ManageAccounts;
  renewals: Renewals;
  clock: Clock;
  /** secrets are named `{secretPrefix}/{provider}/{account}` */
  secretPrefix: string;
  /** longest wait for a log-in, ms */
  timeoutMs: number;
}

/** What a command says, and whether all is well. */
export interface Said {
  lines: readonly string[];
  exitCode: 0 | 1;
}

/** Does what was asked. @throws TokenVendingError where AWS does not answer */
export async function runCommand(deps: CommandDeps, asked: Command): Promise<Said> {
  switch (asked.command) {
    case 'list':
      return list(deps);
    case 'show':
      return show(deps, asked.ref);
    case 'check':
      return check(deps, asked.ref);
    case 'reset': {
      const narrowed = Object.keys(asked.parameters).length > 0;
      const outcome = await (narrowed ? deps.manage.reset(asked.ref, asked.parameters) : deps.manage.reset(asked.ref));
      return told(deps, asked.ref, outcome, () => `${partitionOf(asked.ref)} is reset: the next request is tried at once.`);
    }
    case 'revoke': {
      const outcome = await deps.manage.revoke(asked.ref, asked.parameters);
      return told(deps, asked.ref, outcome, (atProvider) =>
        atProvider
          ? 'The token is revoked at the provider and forgotten here.'
          : 'The token is forgotten here; at the provider it lives on until it expires, because there was nothing to revoke or no way to.',
      );
    }
  }
}

async function list({ manage, clock }: CommandDeps): Promise<Said> {
  const views = await everyAccount(manage);
  if (views.length === 0)
    return { lines: ['No account was asked for yet: an account shows here after its first request or check.'], exitCode: 0 };
  const nowMs = clock.nowMs();
  const rows = views.map((view) => rowOf(view, nowMs)).toSorted(([a = ''], [b = '']) => a.localeCompare(b));
  const lines = table(['ACCOUNT', 'STATE', 'TOKEN SETS', 'NEXT TRY', 'LAST FAILURE'], rows);
  return { lines, exitCode: views.every(({ state }) => state === 'well') ? 0 : 1 };
}

async function everyAccount(manage: ManageAccounts): Promise<readonly AccountView[]> {
  const views: AccountView[] = [];
  let page = await manage.list(() => true);
  for (; page.next !== undefined; page = await manage.list(() => true, page.next)) views.push(...page.accounts);
  return [...views, ...page.accounts];
}

async function show({ manage, clock }: CommandDeps, ref: AccountRef): Promise<Said> {
  const view = await manage.show(ref);
  if (view === undefined) {
    const name = partitionOf(ref);
    return {
      lines: [`${name} was never asked for, so nothing is known of it. See whether it works: npm run account -- check ${name}`],
      exitCode: 1,
    };
  }
  return { lines: describeAccount(view, clock.nowMs()), exitCode: view.state === 'well' ? 0 : 1 };
}

async function check(deps: CommandDeps, ref: AccountRef): Promise<Said> {
  const { renewals, manage, clock, timeoutMs } = deps;
  const outcome: Outcome = await renewals.invoke({ command: 'check', ref }, timeoutMs);
  if (outcome.outcome === 'refused') return refused(deps, ref, outcome.refusal);
  if (outcome.outcome === 'wait') return waiting(deps, ref, outcome.retryAtMs);
  const item = 'item' in outcome ? outcome.item : undefined;
  const until = item?.expiresAtMs === undefined ? '' : ` that lives until ${moment(item.expiresAtMs, clock.nowMs())}`;
  if (outcome.outcome === 'renewed') {
    return { lines: [`The secret is well-formed, and ${ref.provider} takes it: it just gave a token${until}.`], exitCode: 0 };
  }
  const view = await manage.show(ref);
  if (view?.proven === true) {
    const lines = [
      `The secret is well-formed, and ${ref.provider} has taken this version of it: there is a token${until}. Nothing was sent now.`,
    ];
    return { lines, exitCode: 0 };
  }
  const lines = [
    `The secret is well-formed. This version of it was not tried yet, because a token of an earlier one is alive${until.replace(' that lives', '')}.`,
    `To try it now, revoke that token first: npm run account -- revoke ${partitionOf(ref)}`,
  ];
  return { lines, exitCode: 0 };
}

function told(deps: CommandDeps, ref: AccountRef, outcome: ManageOutcome, done: (revokedAtProvider: boolean) => string): Said {
  if (outcome.kind === 'refused') return refused(deps, ref, outcome.refusal);
  if (outcome.kind === 'renewing') return waiting(deps, ref, outcome.retryAtMs);
  return { lines: [done(outcome.revokedAtProvider === true)], exitCode: 0 };
}

function refused({ clock, secretPrefix }: CommandDeps, ref: AccountRef, refusal: Parameters<typeof refusalWords>[1]): Said {
  return { lines: refusalWords(ref, refusal, `${secretPrefix}/${partitionOf(ref)}`, clock.nowMs()), exitCode: 1 };
}

function waiting({ clock }: CommandDeps, ref: AccountRef, retryAtMs: number): Said {
  return { lines: [`${partitionOf(ref)} is being renewed at this moment. Try again at ${moment(retryAtMs, clock.nowMs())}.`], exitCode: 1 };
}
