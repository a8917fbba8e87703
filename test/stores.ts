import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dynamoDbLocalVersion, startDynamoDbLocal } from './support/dynamodb-local.ts';
import { ministackVersion, startMinistack } from './support/ministack.ts';

// Runs the store contract against the emulator's DynamoDB and DynamoDB Local, which it installs, starts and stops, or against
// the databases that DYNAMODB_ENDPOINTS names. Its last line says what was tried; it fails where something cannot be installed.
const root = join(import.meta.dirname, '..');

/** Runs the suite; its own output goes through. @returns how many tests passed and failed */
async function runSuite(endpoints: string): Promise<{ passed: number; failed: number }> {
  const directory = await mkdtemp(join(tmpdir(), 'stores-'));
  const results = join(directory, 'results.json');
  const jest = join(root, 'node_modules/jest/bin/jest.js');
  const config = join(root, 'test/contract-remote/jest.config.mjs');
  const child = spawn(
    process.execPath,
    ['--experimental-vm-modules', '--no-warnings', jest, '--config', config, '--json', '--outputFile', results],
    {
      cwd: root,
      env: { ...process.env, DYNAMODB_ENDPOINTS: endpoints },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  await once(child, 'exit');
  try {
    const summary: { numPassedTests: number; numFailedTests: number; success: boolean } = JSON.parse(await readFile(results, 'utf8'));
    if (!summary.success && summary.numFailedTests === 0) return { passed: summary.numPassedTests, failed: 1 };
    return { passed: summary.numPassedTests, failed: summary.numFailedTests };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function runAgainstInstalled(): Promise<{ passed: number; failed: number }> {
  const stops: (() => Promise<void>)[] = [];
  try {
    process.stderr.write(
      `starting ministack ${ministackVersion} and DynamoDB Local ${dynamoDbLocalVersion} (the first time installs them)\n`,
    );
    const ministack = await startMinistack();
    stops.push(ministack.stop);
    const local = await startDynamoDbLocal();
    stops.push(local.stop);
    return await runSuite(`ministack=${ministack.endpoint},DynamoDB Local=${local.endpoint}`);
  } finally {
    await Promise.all(stops.map((stop) => stop()));
  }
}

const given = process.env['DYNAMODB_ENDPOINTS'];
const startedMs = Date.now();
const { passed, failed } = given === undefined ? await runAgainstInstalled() : await runSuite(given);
const stores = given ?? `ministack ${ministackVersion}, DynamoDB Local ${dynamoDbLocalVersion}`;
const seconds = Math.round((Date.now() - startedMs) / 1_000);
process.stdout.write(`stores: ${stores}; ${passed} passed, ${failed} failed, ${seconds} s\n`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
