import { createHash } from 'node:crypto';

/**
 * A value that does not print: a credential or a token. String conversion, JSON and `util.inspect` all say `[redacted]`;
 * only {@link Secret.reveal} gives the value, so a reader can grep for every place that handles one in the clear.
 */
export class Secret {
  readonly #value: string;
  #fingerprint: string | undefined;

  constructor(value: string) {
    this.#value = value;
  }

  /** @returns the value itself; call it only where the value leaves for the wire, the seal or a comparison */
  reveal(): string {
    return this.#value;
  }

  /** @returns SHA-256 of the value, base64url, made once: it names a token, and is not one */
  fingerprint(): string {
    this.#fingerprint ??= createHash('sha256').update(this.#value).digest('base64url');
    return this.#fingerprint;
  }

  toString(): string {
    return '[redacted]';
  }

  toJSON(): string {
    return '[redacted]';
  }

  // Node's util.inspect looks for this registered symbol, so no import is needed here.
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[redacted]';
  }
}
