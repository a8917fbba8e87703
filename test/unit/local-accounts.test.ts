import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { providersById } from '../../functions/providers/index.ts';
import { readAccounts } from '../../infra/local/accounts.ts';
import { originsOf } from '../../infra/local/function-variables.ts';

describe('a secrets file', () => {
  let directory: string;
  let file: string;
  const read = (content: string) => {
    writeFileSync(file, content);
    return readAccounts(file, providersById());
  };

  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'accounts '));
    file = path.join(directory, 'accounts.json');
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  test('gives its accounts as they stand there', () => {
    const accounts = { 'vidizmo/main': { base_url: 'https://video.example', email: 'a@example.com', password: 'p' } };
    expect(read(JSON.stringify(accounts))).toEqual(accounts);
  });

  test.each([
    ['is no JSON', 'hunter2', 'is no JSON.'],
    ['is no object', '["hunter2"]', 'must hold a JSON object: { "provider/account": { … } }.'],
    ['is empty', '{}', 'holds no account.'],
    ['names no provider that there is', '{"nobody/main":{"password":"hunter2"}}', 'nobody/main: there is no provider nobody; there are '],
    ['has no account name', '{"vidizmo/":{}}', "vidizmo/: the account's name must be "],
    ['has a secret that is no object', '{"vidizmo/main":"hunter2"}', 'vidizmo/main must be a JSON object.'],
    [
      'has a value of the wrong type',
      '{"vidizmo/main":{"base_url":"https://video.example","email":"a@example.com","password":["hunter2"]}}',
      'vidizmo/main: password must be ',
    ],
    [
      'has a member too many',
      '{"vidizmo/main":{"base_url":"https://video.example","email":"a@example.com","password":"p","pasword":"hunter2"}}',
      'vidizmo/main: pasword must not ',
    ],
  ])('that %s is refused in a sentence without values', (_, content, sentence) => {
    const plain = { name: 'PlainError', message: expect.stringContaining(sentence) };
    expect(() => read(content)).toThrow(expect.objectContaining(plain));
    expect(() => read(content)).not.toThrow('hunter2');
  });

  test('that is not there is refused with the reason', () => {
    expect(() => readAccounts(file, providersById())).toThrow(`The secrets file ${file} cannot be read (ENOENT).`);
  });
});

test('whoever writes a URL into a secret means its origin, whatever the member is called', () => {
  const accounts = {
    'vidizmo/main': { base_url: 'https://127.0.0.1:9443/portal', password: 'https//no.url' },
    'movingimage/main': { base_url: 'https://127.0.0.1:9443', issuer: 'https://[::1]:9444/realms/x', scope: 'http://plain.example' },
  };
  expect(originsOf(accounts)).toEqual(['https://127.0.0.1:9443', 'https://[::1]:9444']);
});
