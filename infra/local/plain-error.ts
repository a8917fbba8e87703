/** A failure whose message is all that the person at the terminal needs to read: no stack, no code. */
export class PlainError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PlainError';
  }
}

/** @returns the code of what was thrown (`ENOENT`, `EADDRINUSE`, …), wherever it was made */
export function codeOf(thrown: unknown): string | undefined {
  return memberOf(thrown, 'code');
}

/** @returns the message of what was thrown, wherever it was made */
export function messageOf(thrown: unknown): string {
  return memberOf(thrown, 'message') ?? String(thrown);
}

// Not `instanceof Error`: under Jest, an error of Node's own is made by another realm's Error.
function memberOf(thrown: unknown, name: 'code' | 'message'): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !(name in thrown)) return undefined;
  const value: unknown = Reflect.get(thrown, name);
  return typeof value === 'string' ? value : undefined;
}
