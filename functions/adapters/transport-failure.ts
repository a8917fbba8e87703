/** A refusal of our own on the way to or from a provider. */
class Refused extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = `REFUSED:${code}`;
  }
}

/** @returns an error that {@link failureCode} turns back into `code` */
export function refused(code: 'blocked' | 'redirect' | 'too_large' | 'encoded'): Error {
  return new Refused(code);
}

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  ETIMEDOUT: 'timeout',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns',
  ENODATA: 'dns',
  EPROTO: 'tls',
  ERR_INVALID_CHAR: 'invalid',
  ERR_HTTP_INVALID_HEADER_VALUE: 'invalid',
};

/**
 * A short word for what the network did. Only the error's code is looked at: its message may name hosts, paths or header values.
 *
 * @returns one of the words of `TransportFailure.code`; `failed` for what nobody has met yet
 */
export function failureCode(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  if (code.startsWith('REFUSED:')) return code.slice('REFUSED:'.length);
  if (code.startsWith('HPE_')) return 'malformed';
  if (/^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO|DEPTH_ZERO|SELF_SIGNED|ERR_OSSL|HOSTNAME_MISMATCH|INVALID_CA)/.test(code)) return 'tls';
  return words[code] ?? 'failed';
}
