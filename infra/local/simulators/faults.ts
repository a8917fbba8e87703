import type { ServerResponse } from 'node:http';
import type { Kind, Reply, SimulatedRequest } from './simulator.ts';

/** Something that goes wrong on purpose. */
export interface Fault {
  /** a key of the table below */
  answer: FaultName;
  status?: number | undefined;
  /** seconds or an HTTP date */
  retryAfter?: string | undefined;
  delayMs?: number | undefined;
  /** which requests it hits; all where absent */
  on?: readonly Kind[] | undefined;
  /** how many requests it hits before it is over */
  times?: number | undefined;
}

type Worked = Reply | undefined | Promise<Reply>;

const faults = {
  /** the status instead of any work */
  status: ({ status = 503, retryAfter }: Fault) => ({
    status,
    headers: { 'content-type': 'text/html', ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }) },
    body: page,
  }),
  /** the connection breaks before any work */
  reset: (_: Fault, __: () => Reply, response: ServerResponse) => void response.destroy(),
  /** the work is done and the answer lost */
  reset_after(_: Fault, work: () => Reply, response: ServerResponse) {
    work();
    response.destroy();
    return undefined;
  },
  /** the work is done, the answer begins `delayMs` later */
  async slow_headers({ delayMs = 1000 }: Fault, work: () => Reply) {
    const reply = work();
    await pause(delayMs);
    return reply;
  },
  /** the work is done, the second half of the body comes `delayMs` later */
  slow_body: ({ delayMs = 1000 }: Fault, work: () => Reply) => ({ ...work(), pauseMs: delayMs }),
  redirect: () => ({ status: 302, headers: { location: 'https://elsewhere.invalid/login' }, body: '' }),
  /** from here on the work is done, and the answer spoiled */
  html: (_: Fault, work: () => Reply) => ({ ...work(), headers: { 'content-type': 'text/html' }, body: page }),
  broken_json: (_: Fault, work: () => Reply) => ({ ...work(), body: `{"data":{"access_token":"${'x'.repeat(40)}` }),
  no_token: (_: Fault, work: () => Reply) => ({ ...work(), body: '{}' }),
  /** the right body under another content type */
  wrong_type: (_: Fault, work: () => Reply) => ({ ...work(), headers: { 'content-type': 'application/octet-stream' } }),
  oversized(_: Fault, work: () => Reply) {
    const reply = work();
    return { ...reply, body: reply.body + ' '.repeat(200 * 1024) };
  },
  /** a token with a blank in it */
  bad_token(_: Fault, work: () => Reply) {
    const reply = work();
    return { ...reply, body: reply.body.replaceAll(/[A-Za-z0-9_-]{40,}/g, (token) => `${token.slice(0, 20)} ${token.slice(20)}`) };
  },
};

const page = '<!doctype html><html><title>Error</title><p>Sorry</p></html>';

export type FaultName = keyof typeof faults;

/** Works a fault into a reply. `work` runs the simulator's own code, where the fault lets it. @returns undefined: no answer at all */
export async function withFault(fault: Fault | undefined, work: () => Reply, response: ServerResponse): Promise<Reply | undefined> {
  if (fault === undefined) return work();
  const spoil: (fault: Fault, work: () => Reply, response: ServerResponse) => Worked = faults[fault.answer];
  return spoil(fault, work, response);
}

/** Errors that no provider's file has seen: other codes, other texts, other shapes, and bodies that echo what was sent. */
export function unseenError(
  reply: Reply,
  request: SimulatedRequest,
  count: number,
  envelope: (code: string, text: string) => string,
): Reply {
  const statuses = [400, 403, 409, 418, 422, 451];
  const bodies = [
    envelope('QuiteUnheardOf', 'the moon is in the wrong phase'),
    'no',
    page,
    '',
    envelope(request.body, request.body),
    '{"fault":["Z-9"]}',
    envelope('word '.repeat(60), 'x'.repeat(5000)),
  ];
  return { ...reply, status: statuses[count % statuses.length] ?? 400, body: bodies[count % bodies.length] ?? '' };
}

/** @param ms how long; does not keep the process alive */
export function pause(ms: number): Promise<void> {
  return new Promise((resume) => {
    setTimeout(resume, ms).unref();
  });
}
