/** A failure whose message is all that the person at the terminal needs to read: no stack, no code. */
export class PlainError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PlainError';
  }
}
