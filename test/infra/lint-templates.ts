import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

// Synthesizes both kinds of stage and asks cfn-lint, in a virtual environment of its own, what CloudFormation would say.
const cfnLintVersion = '1.58.0';

// The CDK writes a function's dependency on its role twice; CloudFormation does not mind.
const ignored = 'W3005';

// Its own script names the place where it was installed first.
const start = 'import sys; from cfnlint.runner import main; sys.exit(main())';

const root = path.join(import.meta.dirname, '..', '..');
const cache = path.join(root, '.cache');
const run = promisify(execFile);

async function installCfnLint(): Promise<string> {
  const home = path.join(cache, `cfn-lint-${cfnLintVersion}`);
  if (existsSync(path.join(home, 'bin', 'python'))) return path.join(home, 'bin', 'python');
  await mkdir(cache, { recursive: true });
  const building = await mkdtemp(path.join(cache, 'cfn-lint-building-'));
  try {
    await run('python3', ['-m', 'venv', building]);
    await run(path.join(building, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', `cfn-lint==${cfnLintVersion}`]);
    await rename(building, home);
  } finally {
    await rm(building, { recursive: true, force: true });
  }
  return path.join(home, 'bin', 'python');
}

async function synthesize(stage: string): Promise<string[]> {
  const output = path.join(cache, 'lint', stage);
  const context = JSON.stringify({ stage, 'aws:cdk:bundling-stacks': [] });
  await run(process.execPath, ['infra/app.ts'], { cwd: root, env: { ...process.env, CDK_OUTDIR: output, CDK_CONTEXT_JSON: context } });
  const files = await readdir(output);
  return files.filter((file) => file.endsWith('.template.json')).map((file) => path.join(output, file));
}

const python = await installCfnLint();
const templates = [...(await synthesize('sandbox')), ...(await synthesize('production'))];
const { status } = spawnSync(python, ['-c', start, '--ignore-checks', ignored, '--regions', 'eu-central-1', '--', ...templates], {
  stdio: 'inherit',
});
process.stdout.write(status === 0 ? `cfn-lint: ${templates.length} templates, no finding\n` : 'cfn-lint found something\n');
process.exitCode = status ?? 1;
