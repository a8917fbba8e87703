import type { HistoryEvent } from './history.ts';

/** @returns a history as lines that a person can follow: time, instance, what happened */
export function timeline(history: readonly HistoryEvent[]): string {
  const startMs = history[0]?.atMs ?? 0;
  return history.map((event) => `${String(event.atMs - startMs).padStart(9)} ${line(event)}`).join('\n');
}

function line(event: HistoryEvent): string {
  switch (event.kind) {
    case 'write': {
      const { op, key, generation, applied, before, after } = event;
      const doubt = after?.doubt ? ` doubt ${after.doubt.count}` : '';
      const rest = `${before?.generation}→${after?.generation}${doubt} ${event.stored?.refresh ?? ''} ${after?.failure?.code ?? ''}`;
      return `${who(event)} ${op} ${key.slice(-4)} under ${generation} ${applied ? 'done' : 'refused'} ${rest}`;
    }
    case 'account': {
      const { item, applied } = event;
      const { revision, secretVersion, refused, unanswered, proven, notBeforeMs, nextLoginAtMs } = item;
      const times = `not before ${notBeforeMs}, next log-in ${nextLoginAtMs}`;
      return `${who(event)} account ${applied ? 'done' : 'refused'} r${revision} ${secretVersion} refused ${refused} unanswered ${Object.keys(unanswered).length} ${proven ? 'proven' : ''} ${times}`;
    }
    case 'account_read':
      return `${who(event)} reads account r${event.item?.revision}`;
    case 'call': {
      const { sent, session, serial, good, answerLost, fateAfter } = event;
      return `${who(event)} ${sent} session ${session?.id}.${serial} ${good ? 'good' : 'bad'}${answerLost ? ', answer lost' : ''}, session ${fateAfter}`;
    }
    case 'vend': {
      const { outcome, command, reported } = event;
      const told = outcome.kind === 'answered' ? `generation ${outcome.generation} from ${outcome.from}` : JSON.stringify(outcome);
      return `   vend ${command.caller} ${JSON.stringify(command.parameters)} min ${command.minTtlSeconds} reports ${reported}: ${told}`;
    }
    case 'deleted':
      return `   deleted ${event.key.slice(-4)}`;
  }
}

function who({ instance, work, command }: Extract<HistoryEvent, { instance: number }>): string {
  return `#${instance}/${work} ${command?.command ?? ''}`;
}
