import { createHash } from 'node:crypto';
import { markup } from './console/markup.ts';
import { script } from './console/script.ts';
import { style } from './console/style.ts';
import type { HttpResponse } from './respond.ts';

/**
 * The operator's page. It holds no data: what it shows it asks of this interface, with the credential that the operator gives it,
 * so it is open to anybody.
 *
 * @returns one HTML document that loads nothing from anywhere, and a policy that would not let it
 */
export function consoleResponse(): HttpResponse {
  return {
    statusCode: 200,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': [
        "default-src 'none'",
        `script-src ${hashOf(script)}`,
        `style-src ${hashOf(style)}`,
        "connect-src 'self'",
        'img-src data:',
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
      ].join('; '),
      'cache-control': 'no-store',
      'cross-origin-opener-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    },
    body: markup(style, script),
  };
}

/** The page is the same for everybody, so its two inline parts are allowed by what they are. */
function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
