import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Authority } from '../authority.ts';
import { underOwnName } from '../listen.ts';
import { pause, unseenError, withFault } from './faults.ts';
import type { Fault } from './faults.ts';
import { bearerOf, createMint } from './tokens.ts';
import type { Mint } from './tokens.ts';

/** What a request is for; `narrow` asks for a token of one profile by the older endpoint. */
export type Kind = 'login' | 'refresh' | 'narrow' | 'revocation' | 'discovery';

export interface SimulatedRequest {
  method: string;
  path: string;
  /** the parts of the path that the route's pattern caught */
  parts: readonly string[];
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: string;
}

export interface Reply {
  status: number;
  headers?: Readonly<Record<string, string>>;
  body: string;
  /** a pause in the middle of the body, ms */
  pauseMs?: number;
}

export interface Route {
  kind: Kind;
  method: string;
  path: RegExp;
  /** tells routes of one path apart */
  when?(request: SimulatedRequest): boolean;
  handle(request: SimulatedRequest): Reply;
}

/** How often what happened; also at `GET /_simulator/counters`. Only successes count as log-ins, refreshes and revocations. */
export interface Counters {
  requests: number;
  logins: number;
  refreshes: number;
  narrowings: number;
  revocations: number;
  discoveries: number;
  /** requests of any kind that were answered with an error of the provider's own */
  refused: number;
  /** log-ins refused because of too many bad ones */
  locked: number;
  /** a refresh token came a second time although it had been replaced */
  reused: number;
}

/** What can be switched while it runs; also by `POST /_simulator/control` with some of these as JSON. */
export interface Control {
  /** errors come with codes, texts and shapes that nobody has seen */
  unseen: boolean;
  latencyMs: number;
  fault: Fault | null;
  lifeSeconds: number;
  refreshLifeSeconds: number;
  /** members that answers leave out */
  omit: readonly ('life' | 'refresh_token')[];
  users: Record<string, User>;
  /** tokens of an earlier era are dead: one more ends every session */
  era: number;
  /** a log-in beyond so many living sessions is refused; 0: no limit */
  maxSessions: number;
  /** a variety of right answers, where a provider has several: 0 is the usual one */
  variant: number;
}

export interface User {
  password: string;
  clientSecret?: string | undefined;
  /** bad log-ins since the last good one */
  failures?: number | undefined;
  /** profiles or VideoManagers that the user may ask for; the first is the default */
  scopes?: readonly string[] | undefined;
}

export interface SimulatorOptions extends Partial<Control> {
  authority: Authority;
  /** 127.0.0.2 unless given */
  host?: string | undefined;
  /** 0 (a free one) unless given */
  port?: number | undefined;
  /** the same key recognises its tokens after a restart */
  signingKey?: string | undefined;
}

export interface Simulator {
  origin: string;
  counters: Counters;
  control: Control;
  /** @returns whether the access token lives; also at `GET /_simulator/lives` with the token as bearer */
  lives(token: string): boolean;
  close(): Promise<void>;
}

/** What a provider's own file gets and gives. */
export interface Stage {
  mint: Mint;
  counters: Counters;
  control: Control;
  /** https://host:port, known once it listens */
  origin(): string;
  nowSeconds(): number;
}

export interface Behaviour {
  routes: readonly Route[];
  /** @returns whether the access token lives */
  lives(token: string): boolean;
  /** the provider's error body around a code and a text */
  envelope(code: string, text: string): string;
}

/** Serves a provider's behaviour over https on loopback, with its counters and switches. */
export async function startSimulator(
  options: SimulatorOptions,
  defaults: Partial<Control>,
  behave: (stage: Stage) => Behaviour,
): Promise<Simulator> {
  const { authority, host = '127.0.0.2', port = 0, signingKey, ...settings } = options;
  const certificate = await authority.issue([host]);
  const counters = freshCounters();
  const control: Control = { ...freshControl(), ...defaults, ...settings };
  let origin = '';
  const stage: Stage = {
    mint: createMint(signingKey),
    counters,
    control,
    origin: () => origin,
    nowSeconds: () => Math.floor(Date.now() / 1000),
  };
  const behaviour = behave(stage);
  const answering = underOwnName((incoming, outgoing) => {
    serve(stage, behaviour, incoming, outgoing).catch(() => outgoing.destroy());
  });
  const server = createServer({ key: certificate.keyPem, cert: certificate.certPem }, answering);
  await new Promise<void>((listening, failed) => {
    server.once('error', failed).listen(port, host, listening);
  });
  origin = `https://${host}:${portOf(server.address())}`;
  const close = (): Promise<void> =>
    new Promise((closed) => {
      server.close(() => closed());
      server.closeAllConnections();
    });
  return { origin, counters, control, lives: (token) => behaviour.lives(token), close };
}

async function serve(stage: Stage, behaviour: Behaviour, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const url = new URL(incoming.url ?? '/', 'https://simulator.invalid');
  const body = await textOf(incoming);
  if (url.pathname.startsWith('/_simulator/')) return steer(stage, behaviour, { incoming, path: url.pathname, body }, outgoing);
  stage.counters.requests += 1;
  if (stage.control.latencyMs > 0) await pause(stage.control.latencyMs);
  const parts = (route: Route): string[] => route.path.exec(url.pathname)?.slice(1).map(decodeURIComponent) ?? [];
  const plain = { method: incoming.method ?? '', path: url.pathname, query: url.searchParams, headers: incoming.headers, body };
  const route = behaviour.routes.find((each) => fits(each, { ...plain, parts: [] }));
  const request: SimulatedRequest = { ...plain, parts: route === undefined ? [] : parts(route) };
  const work = (): Reply => answer(stage, behaviour, route, request);
  const reply = await withFault(takeFault(stage.control, route), work, outgoing);
  if (reply !== undefined) await write(outgoing, reply);
}

function fits(route: Route, request: SimulatedRequest): boolean {
  return route.method === request.method && route.path.test(request.path) && route.when?.(request) !== false;
}

function answer(stage: Stage, behaviour: Behaviour, route: Route | undefined, request: SimulatedRequest): Reply {
  const reply = route?.handle(request) ?? {
    status: 404,
    headers: { 'content-type': 'text/html' },
    body: '<html><title>Error</title></html>',
  };
  if (reply.status >= 400) {
    stage.counters.refused += 1;
    return stage.control.unseen
      ? unseenError(reply, request, stage.counters.refused, (code, text) => behaviour.envelope(code, text))
      : reply;
  }
  const counter = {
    login: 'logins',
    refresh: 'refreshes',
    narrow: 'narrowings',
    revocation: 'revocations',
    discovery: 'discoveries',
  } as const;
  if (route !== undefined) stage.counters[counter[route.kind]] += 1;
  return reply;
}

function takeFault(control: Control, route: Route | undefined): Fault | undefined {
  const { fault } = control;
  if (fault === null || route === undefined || fault.on?.includes(route.kind) === false) return undefined;
  if (fault.times !== undefined) {
    const left = fault.times - 1;
    control.fault = left > 0 ? { ...fault, times: left } : null;
  }
  return fault;
}

interface Steering {
  incoming: IncomingMessage;
  path: string;
  body: string;
}

function steer({ counters, control }: Stage, behaviour: Behaviour, { incoming, path, body }: Steering, outgoing: ServerResponse): void {
  const pages: Readonly<Record<string, () => unknown>> = {
    '/_simulator/counters': () => counters,
    '/_simulator/control': () => Object.assign(control, JSON.parse(body)) && counters,
    '/_simulator/lives': () => ({ lives: behaviour.lives(bearerOf(incoming.headers)) }),
  };
  const page = pages[path];
  outgoing.writeHead(page === undefined ? 404 : 200, { 'content-type': 'application/json' });
  outgoing.end(JSON.stringify(page?.() ?? {}));
}

async function write(outgoing: ServerResponse, { status, headers, body, pauseMs }: Reply): Promise<void> {
  outgoing.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers });
  if (pauseMs === undefined) return void outgoing.end(body);
  const half = Math.floor(body.length / 2);
  outgoing.write(body.slice(0, half));
  await pause(pauseMs);
  outgoing.end(body.slice(half));
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function freshCounters(): Counters {
  return { requests: 0, logins: 0, refreshes: 0, narrowings: 0, revocations: 0, discoveries: 0, refused: 0, locked: 0, reused: 0 };
}

function freshControl(): Control {
  return {
    unseen: false,
    latencyMs: 0,
    fault: null,
    lifeSeconds: 300,
    refreshLifeSeconds: 3600,
    omit: [],
    users: {},
    era: 0,
    maxSessions: 0,
    variant: 0,
  };
}
