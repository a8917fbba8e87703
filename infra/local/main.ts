import path from 'node:path';
import { providersById } from '../../functions/providers/index.ts';
import { readAccounts } from './accounts.ts';
import { curlLine } from './curl-line.ts';
import { readFlags, usage, type Flags } from './flags.ts';
import { humanLine, viewLines } from './log-view.ts';
import { codeOf, PlainError } from './plain-error.ts';
import { startLocalStack, type LocalStack } from './stack.ts';

/** How long requests in work may take to end after Ctrl-C, ms. */
const GRACE_MS = 10_000;

function say(sentence: string): void {
  process.stdout.write(`${sentence}\n`);
}

async function main(): Promise<void> {
  const flags = readFlags(process.argv.slice(2));
  if (flags.help) return say(usage);
  const startedMs = Date.now();
  let view = nothing;
  if (!flags.verbose) viewLines((line) => view(line));
  const stack = await start(flags);
  endOnSignal(stack);
  greet(stack, flags, startedMs);
  view = humanLine;
}

/** While it starts there is nothing to see: what fails is thrown. */
function nothing(_line: string): string | undefined {
  return undefined;
}

async function start(flags: Flags): Promise<LocalStack> {
  const accounts = flags.secrets === undefined ? undefined : readAccounts(flags.secrets, providersById());
  try {
    return await startLocalStack({
      dataDirectory: flags.data === undefined ? undefined : path.resolve(flags.data),
      port: flags.port,
      callers: flags.callers,
      accounts,
      lifeSeconds: flags.lifeSeconds,
      tickMs: flags.tickSeconds * 1000,
    });
  } catch (error) {
    throw inPlainWords(error, flags);
  }
}

function inPlainWords(error: unknown, { port, data }: Flags): unknown {
  const code = codeOf(error);
  if (code === 'EADDRINUSE') return new PlainError(`Port ${port} is taken: end what listens there, or choose another with --port N.`);
  if (code === 'EACCES' || code === 'EPERM')
    return new PlainError(`No permission: port ${port}${data === undefined ? '' : ` or ${data}`}.`);
  if (code === 'LEVEL_LOCKED' || code === 'LEVEL_DATABASE_NOT_OPEN')
    return new PlainError(`${data} is in use by another run: end that one first.`);
  return error;
}

function greet(stack: LocalStack, flags: Flags, startedMs: number): void {
  const whose = stack.simulators === undefined ? 'your accounts' : 'simulated providers';
  const kept = flags.data === undefined ? 'nothing is kept after the end' : `everything is kept in ${flags.data}`;
  say(
    `Token vending runs at ${stack.url} with ${whose}; ${kept}. Ready after ${((Date.now() - startedMs) / 1000).toFixed(1)} s; Ctrl-C ends it.`,
  );
  say('Vend a token, one line an account:');
  for (const account of Object.keys(stack.accounts)) say(curlLine(stack, account, flags.callers));
  say(
    `(set -a; . '${stack.environmentFile}'; aws secretsmanager list-secrets) shows its secrets, ${stack.secretPrefix}/{provider}/{account}; no other user can read that file.`,
  );
  say(`npm run account -- list --local ${stack.url} shows the accounts, and so does ${stack.url}/console, given the token of a curl line.`);
  say(`The schedule looks every ${flags.tickSeconds} s for what is due; renewals are written below.`);
}

/** One signal or several (a terminal signals every process of npm's) end it once, cleanly. */
function endOnSignal(stack: LocalStack): void {
  let ending = false;
  const end = (): void => {
    if (ending) return;
    ending = true;
    setTimeout(() => process.exit(1), GRACE_MS).unref();
    void stack.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
  endWithParent(end);
}

/** The bootstrap that started this process may be killed in a way that tells nobody. */
function endWithParent(end: () => void): void {
  const parent = Number(process.env['BOOTSTRAP_PID'] ?? 0);
  if (parent !== process.ppid) return;
  setInterval(() => {
    if (process.ppid !== parent) end();
  }, 1_000).unref();
}

try {
  await main();
} catch (error) {
  if (!(error instanceof PlainError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
