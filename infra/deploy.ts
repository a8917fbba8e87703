import { spawn } from 'node:child_process';
import path from 'node:path';
import { parseArgs } from 'node:util';

const usage = `npm run deploy -- --stage NAME [options of the CDK CLI]
npm run destroy -- --stage NAME [options of the CDK CLI]

NAME is lower case letters, digits and hyphens. What infra/vending.config.ts lists under "stages" is told what stands there; any
other name is a sandbox. Options go on to the CDK CLI: --profile NAME, --context config=PATH (another vending.config.ts), --force.
The AWS account and region must have been prepared once with: node infra/bootstrap.mjs --bin cdk bootstrap
`;

const root = path.join(import.meta.dirname, '..');

/** The pinned CLI of node_modules: the newest one cannot read what this version of the library writes. */
const cli = path.join(root, 'node_modules', 'aws-cdk', 'bin', 'cdk');

function cdkArguments(command: 'deploy' | 'destroy', stage: string, rest: readonly string[]): string[] {
  const answered = rest.some((argument) => argument.startsWith('--require-approval'));
  // What the stack may do is reviewed as code and held by tests; a question in the middle of a deployment adds nothing.
  const approval = command === 'destroy' || answered ? [] : ['--require-approval', 'never'];
  return [command, '--all', '--context', `stage=${stage}`, ...approval, ...rest];
}

/** @returns the stage's name, and everything else as it was given */
function readArguments(given: readonly string[]): { stage: string | undefined; rest: string[] } {
  const { tokens } = parseArgs({ args: [...given], strict: false, tokens: true, options: { stage: { type: 'string' } } });
  const named = tokens.find((token) => token.kind === 'option' && token.name === 'stage');
  if (named?.kind !== 'option' || named.value === undefined) return { stage: undefined, rest: [...given] };
  return { stage: named.value, rest: given.toSpliced(named.index, named.inlineValue ? 1 : 2) };
}

const [command, ...given] = process.argv.slice(2);
const { stage, rest } = readArguments(given);
if ((command !== 'deploy' && command !== 'destroy') || stage === undefined) {
  process.stderr.write(usage);
  process.exit(2);
}
const child = spawn(process.execPath, [cli, ...cdkArguments(command, stage, rest)], { cwd: root, stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => process.exit(code ?? 1));
