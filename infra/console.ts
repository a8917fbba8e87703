import { SSMClient } from '@aws-sdk/client-ssm';
import { parseWords, placeOf } from './account/arguments.ts';
import { findTarget } from './account/target.ts';
import { startConsoleProxy } from './console/proxy.ts';
import { PlainError } from './local/plain-error.ts';

const usage = `Shows the accounts of a deployment in the browser: npm run console -- --stage NAME

  --stage NAME        a deployment of npm run deploy -- --stage NAME
  --deployment NAME   a deployment by its own name, where another CDK app deployed it
  --config FILE       for --stage: another infra/vending.config.ts
  --port N            where the page is served, on this machine only (default: a free one)

Requests are signed with your AWS credentials: your role needs a grant with inspect, and reset, revoke and vend for what you want
to do. A local run and a deployment with JWT callers serve the page themselves, at /console.
`;

function say(sentence: string): void {
  process.stdout.write(`${sentence}\n`);
}

async function main(): Promise<void> {
  const { port = '0', help, ...where } = parseWords(process.argv.slice(2), { port: { type: 'string' }, help: { type: 'boolean' } }).values;
  if (help === true) return say(usage);
  if (Object.keys(where).length === 0) throw new PlainError(usage);
  const place = placeOf(where);
  if (place.kind === 'local') throw new PlainError(`A local run serves the console itself: open ${place.url}/console`);
  const { url } = await findTarget(place);
  const { config: aws } = new SSMClient();
  const proxy = await startConsoleProxy({ url, region: await aws.region(), credentials: aws.credentials, port: Number(port) });
  say(`Open ${proxy.url} and give it this key, which holds until Ctrl-C: ${proxy.key}`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void proxy.close().then(() => process.exit(0)));
}

try {
  await main();
} catch (error) {
  if (!(error instanceof Error)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
