import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { providersById } from '../../functions/providers/index.ts';

const entries = ['vend-token.ts', 'renew-token-sets.ts', 'dispatch-renewals.ts', 'manage-accounts.ts'];
const root = path.join(import.meta.dirname, '..', '..', 'functions');

interface SourceFile {
  /** from `functions/`, with slashes */
  name: string;
  /** `entry`, or the folder */
  room: string;
  text: string;
  /** code without comments: a word in a comment does nothing */
  code: string;
  imports: readonly string[];
}

const files: readonly SourceFile[] = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.split(path.sep).join('/'))
  .map((name) => {
    const text = readFileSync(path.join(root, name), 'utf8');
    const code = text.replaceAll(/\/\*[\s\S]*?\*\/|(?<![:'"`])\/\/.*$/gm, '');
    const found = code.matchAll(/^(?:import|export)\b[^;'"`]*?\bfrom '([^']+)'|\bimport\('([^']+)'\)|^import '([^']+)'/gm);
    const imports = [...found].map(([, static_, dynamic, bare]) => resolved(name, static_ ?? dynamic ?? bare ?? ''));
    return { name, room: roomOf(name), text, code, imports };
  });

function roomOf(name: string): string {
  const [first = '', ...rest] = name.split('/');
  if (rest.length > 0) return first;
  return entries.includes(first) ? 'entry' : 'floor';
}

/** A file as it is named here, or a package as it stands. */
function resolved(from: string, specifier: string): string {
  return specifier.startsWith('.') ? path.posix.normalize(path.posix.join(path.posix.dirname(from), specifier)) : specifier;
}

function inRoom(room: string): readonly SourceFile[] {
  return files.filter((file) => file.room === room);
}

/** Imports of a room that match none of what it may import. */
function strayImports(room: string, allowed: RegExp): string[] {
  return inRoom(room).flatMap(({ name, imports }) =>
    imports.filter((each) => !allowed.test(each)).map((each) => `${name} imports ${each}`),
  );
}

function filesWith(pattern: RegExp, among: readonly SourceFile[] = files): string[] {
  return among.filter(({ code }) => pattern.test(code)).map(({ name }) => name);
}

/** What runs in a caller's app or in a browser has its own clock. */
const onTheServer = files.filter(({ room, name }) => room !== 'client' && !name.startsWith('handlers/console/'));

describe('the direction of imports', () => {
  test('the rooms are all there', () => {
    expect(files.length).toBeGreaterThan(50);
    expect(new Set(files.map(({ room }) => room))).toEqual(
      new Set(['entry', 'floor', 'handlers', 'core', 'providers', 'adapters', ...(inRoom('client').length > 0 ? ['client'] : [])]),
    );
  });

  test('sees imports of every form', () => {
    const manage = files.find(({ name }) => name === 'manage-accounts.ts');
    expect(manage?.imports).toEqual(expect.arrayContaining(['core/timing.ts', 'handlers/openapi.ts']));
  });

  test.each([
    ['core', /^(core\/|node:(crypto|zlib)$)/],
    ['providers', /^(core\/|providers\/|zod\/mini$|node:(buffer|crypto)$)/],
    ['handlers', /^(core\/|handlers\/|routes\.ts$|zod\/mini$|@middy\/core$|aws-lambda$|node:crypto$)/],
    ['adapters', /^(core\/|adapters\/|zod\/mini$|@aws-sdk\/|@smithy\/|node:)/],
    ['floor', /^(core\/|zod\/mini$)/],
    ['entry', /^(adapters|core|handlers|providers)\/|^configuration\.ts$/],
    ['client', /^client\//],
  ])('%s imports only what it may', (room, allowed) => {
    expect(strayImports(room, allowed)).toEqual([]);
  });

  test('the function that faces callers reaches neither secrets nor providers over the network', () => {
    const reach = /^adapters\/(provider-secrets|provider-fetch|renewal-queue)\.ts$/;
    const facing = files.filter(({ name }) => ['vend-token.ts', 'manage-accounts.ts', 'dispatch-renewals.ts'].includes(name));
    expect(facing.flatMap(({ name, imports }) => imports.filter((each) => reach.test(each)).map((each) => [name, each]))).toEqual([
      ['dispatch-renewals.ts', 'adapters/renewal-queue.ts'],
    ]);
  });

  test('only the renewing function composes the renewing use case', () => {
    const composing = files.filter(({ room, imports }) => room === 'entry' && imports.includes('core/renew-token-set.ts'));
    expect(composing.map(({ name }) => name)).toEqual(['renew-token-sets.ts']);
  });
});

describe('production code', () => {
  test('reads its environment in the entries alone', () => {
    expect(filesWith(/process\.env|\benv\b\s*\[/).toSorted()).toEqual(entries.toSorted());
  });

  test('knows nothing of local runs and tests', () => {
    expect(filesWith(/localhost|127\.0\.0\.\d(?!\/)|NODE_ENV|JEST|ministack|localstack|dynalite|simulator|AWS_ENDPOINT/i)).toEqual([]);
  });

  test('asks nowhere which provider it is', () => {
    expect(filesWith(/provider(\.id|Id)?\s*[!=]==?\s*['"`]|switch \((?:\w+\.)*provider(\.id|Id)?\)/)).toEqual([]);
  });

  test('names a provider in its own file and in the list alone', () => {
    const named = new RegExp(`['"\`](${[...providersById().keys()].join('|')})(/|['"\`])`);
    const strangers = files.filter(({ room }) => room !== 'providers' && room !== 'client');
    expect(filesWith(named, strangers)).toEqual([]);
  });

  test('prints through its telemetry alone', () => {
    expect(filesWith(/\bconsole\.(log|info|warn|error|debug)\(|process\.std(out|err)/)).toEqual(['adapters/telemetry.ts']);
  });

  test('keeps no state in modules', () => {
    expect(filesWith(/^(export )?(let|var) /m)).toEqual([]);
    expect(filesWith(/^(export )?const \w+ = new (Map|WeakMap|Set)\(\)/m)).toEqual([]);
  });

  test('has no secret in the clear outside of where one leaves for the wire, the seal or a comparison', () => {
    const revealing = filesWith(/\.reveal\(\)/).filter((name) => !name.startsWith('providers/'));
    expect(revealing.toSorted()).toEqual(['core/call-provider.ts', 'core/seal.ts', 'handlers/vend-token.ts']);
  });

  test('asks no clock and no dice but the ones that it is given', () => {
    expect(filesWith(/Date\.now\(\)|new Date\(\)|Math\.random\(\)/, onTheServer)).toEqual(['adapters/system.ts']);
  });
});

describe('files', () => {
  test('have kebab-case names', () => {
    expect(files.map(({ name }) => name).filter((name) => !/^([a-z0-9-]+\/)*[a-z0-9-]+\.ts$/.test(name))).toEqual([]);
  });

  test('leave nothing for later', () => {
    expect(files.filter(({ text }) => /\b(TODO|FIXME|XXX|HACK)\b/.test(text)).map(({ name }) => name)).toEqual([]);
  });
});
