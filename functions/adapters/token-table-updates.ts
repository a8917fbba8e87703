import type { AcquireRequest, CommitRequest, ReleaseRequest, WarmMark } from '../core/ports.ts';
import type { Due } from '../core/token-set.ts';
import { attributes as a } from './token-table-attributes.ts';
import {
  dueAtIs,
  expiryIs,
  failureIsOver,
  generationIs,
  ifAbsent,
  isAbsent,
  isIndexed,
  leaseIsOf,
  leaseIsOver,
  oneMore,
  updateExpressions,
} from './token-table-expressions.ts';
import type { Changes, Clause, UpdateExpressions } from './token-table-expressions.ts';
import { encodeFailure, number, optional, schemaVersion, text } from './token-table-items.ts';

/** DynamoDB deletes an item this long after it is of no use to anybody, ms. */
export const keptForMs = 7 * 24 * 60 * 60 * 1_000;

/** The TTL of what must stay, seconds: the year 2286. An acquire leaves it alone, as it does any TTL that stands. */
export const neverSeconds = 9_999_999_999;

/** All that a token set loses when it is forgotten. */
const forgotten = [
  a.sealed,
  a.obtainedAt,
  a.expiresAt,
  a.refreshExpiresAt,
  a.secretVersion,
  a.life,
  a.refreshRefused,
  a.leaseBy,
  a.leaseUntil,
  a.doubtSince,
  a.doubtCount,
  a.failure,
  a.warmUntil,
  a.dueShard,
  a.dueAt,
  a.dueGroup,
];

/** Step 3. An item of an older format keeps its number: only a commit and a revoke write all of the item. */
export function acquireUpdate(request: AcquireRequest): UpdateExpressions {
  const { judged, nowMs } = request;
  const changes: Changes = {
    [a.generation]: ifAbsent(a.generation, number(nowMs)),
    [a.leaseBy]: text(request.attempt),
    [a.leaseUntil]: number(request.leaseUntilMs),
    [a.doubtSince]: ifAbsent(a.doubtSince, number(nowMs)),
    [a.doubtCount]: oneMore(a.doubtCount),
    [a.ttl]: ifAbsent(a.ttl, number(seconds(nowMs + keptForMs))),
    [a.schema]: ifAbsent(a.schema, number(schemaVersion)),
  };
  const when: Clause[] = judged === undefined ? [isAbsent] : [generationIs(judged), leaseIsOver(nowMs, request.skewMs)];
  if (judged !== undefined && request.respectNotBefore) when.push(failureIsOver(nowMs));
  return updateExpressions(changes, ...when);
}

/** Step 6. Deliberately without a word about the lease. */
export function commitUpdate(generation: number, request: CommitRequest): UpdateExpressions {
  const lastUseMs = Math.max(request.expiresAtMs, request.refreshExpiresAtMs ?? 0);
  const changes: Changes = {
    ...removals(forgotten.filter((attribute) => attribute !== a.warmUntil)),
    [a.generation]: number(generation + 1),
    [a.sealed]: { B: request.sealed },
    [a.obtainedAt]: number(request.obtainedAtMs),
    [a.expiresAt]: number(request.expiresAtMs),
    [a.refreshExpiresAt]: optional(request.refreshExpiresAtMs, number),
    [a.secretVersion]: text(request.secretVersion),
    [a.life]: number(request.lifeMs),
    [a.committedBy]: text(request.attempt),
    [a.ttl]: number(request.persists === true ? neverSeconds : seconds(lastUseMs + keptForMs)),
    [a.schema]: number(schemaVersion),
    ...(request.warmUntilMs === undefined ? {} : { [a.warmUntil]: number(request.warmUntilMs) }),
    ...dueChanges(request.due),
  };
  return updateExpressions(changes, generationIs(generation));
}

/** Step 8. */
export function releaseUpdate(generation: number, attempt: string, request: ReleaseRequest): UpdateExpressions {
  const failure: Changes = request.failure === undefined ? {} : { [a.failure]: encodeFailure(request.failure) };
  const changes: Changes =
    request.forget === true
      ? { ...forgetting(generation, attempt), ...failure }
      : {
          ...removals([a.leaseBy, a.leaseUntil]),
          ...doubtChanges(request.doubt),
          ...failure,
          ...(request.due === 'keep' ? {} : request.due === 'remove' ? dueChanges(undefined) : { [a.dueAt]: number(request.due.atMs) }),
        };
  return updateExpressions(changes, generationIs(generation), leaseIsOf(attempt));
}

/** Step 8's "refresh token refused", under the same lease. */
export function refuseRefreshTokenUpdate(generation: number, attempt: string): UpdateExpressions {
  return updateExpressions({ [a.refreshRefused]: { BOOL: true } }, generationIs(generation), leaseIsOf(attempt));
}

/** Step 11. Never a delete: the generation must not start again. */
export function forgetUpdate(generation: number, attempt: string): UpdateExpressions {
  return updateExpressions(forgetting(generation, attempt), generationIs(generation));
}

function forgetting(generation: number, attempt: string): Changes {
  return {
    ...removals(forgotten),
    [a.generation]: number(generation + 1),
    [a.committedBy]: text(attempt),
    [a.schema]: number(schemaVersion),
  };
}

/** An operator's reset. */
export function clearFailureUpdate(generation: number): UpdateExpressions {
  return updateExpressions(removals([a.failure]), generationIs(generation));
}

/** The one write of `vend-token`; names nothing but `warmAttributes`. */
export function markWarmUpdate(expiresAtMs: number, warm: WarmMark): UpdateExpressions {
  const due = warm.due === undefined ? {} : dueChanges(warm.due);
  return updateExpressions({ [a.warmUntil]: number(warm.warmUntilMs), ...due }, expiryIs(expiresAtMs));
}

/** A worker's refusal moves what is due, unless somebody else moved it first. */
export function moveDueUpdate(generation: number, dueAtMs: number, newDueAtMs: number | undefined): UpdateExpressions {
  const changes = newDueAtMs === undefined ? dueChanges(undefined) : { [a.dueAt]: number(newDueAtMs) };
  return updateExpressions(changes, generationIs(generation), dueAtIs(dueAtMs), isIndexed);
}

function dueChanges(due: Due | undefined): Changes {
  return { [a.dueShard]: optional(due?.shard, number), [a.dueAt]: optional(due?.atMs, number), [a.dueGroup]: optional(due?.group, text) };
}

function doubtChanges(doubt: ReleaseRequest['doubt']): Changes {
  if (doubt === 'keep') return {};
  return { [a.doubtSince]: optional(doubt?.sinceMs, number), [a.doubtCount]: optional(doubt?.count, number) };
}

function removals(names: readonly string[]): Changes {
  return Object.fromEntries(names.map((name) => [name, undefined]));
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1_000);
}
