import { TokenVendingError } from '../core/errors.ts';

/** A chain of causes is followed this far. */
const deepest = 3;

/** Frames of a stack that are worth a line. */
const mostFrames = 8;

/**
 * What a log may say of an error. Messages of others are left out, because nobody knows what they quote (a body, a URL, a
 * credential); our own are codes. Frames of the stack say where it happened.
 */
export function errorRecord(error: unknown, depth = 0): unknown {
  if (error === undefined || depth >= deepest) return undefined;
  if (!(error instanceof Error)) return depth === 0 ? { thrown: typeof error } : evidenceOf(error);
  const ours = error instanceof TokenVendingError;
  return {
    name: error.name,
    code: ours ? error.code : codeOf(error),
    details: ours && Object.keys(error.details).length > 0 ? error.details : undefined,
    stack: framesOf(error),
    cause: errorRecord(error.cause, depth + 1),
  };
}

/** Evidence that an adapter put beside one of our errors: plain members, no nesting. */
function evidenceOf(cause: unknown): unknown {
  if (typeof cause !== 'object' || cause === null) return undefined;
  return Object.fromEntries(Object.entries(cause).filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value)));
}

function codeOf(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Only lines that point into code; the lines before them are the message. */
function framesOf({ stack = '', message }: Error): string[] {
  const messageEnd = message === '' ? 0 : stack.indexOf(message) + message.length;
  const frames = stack.slice(Math.max(messageEnd, 0)).split('\n');
  return frames
    .map((line) => line.trim())
    .filter((line) => /^at .*(:\d+:\d+\)?|<anonymous>\)?)$/.test(line))
    .slice(0, mostFrames);
}
