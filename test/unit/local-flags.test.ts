import { describe, expect, test } from '@jest/globals';
import { readFlags } from '../../infra/local/flags.ts';

describe('the flags of npm start', () => {
  test('have defaults', () => {
    expect(readFlags([])).toEqual({
      help: false,
      verbose: false,
      data: undefined,
      secrets: undefined,
      port: 8787,
      lifeSeconds: 150,
      tickSeconds: 10,
      callers: 'jwt',
    });
  });

  test('are read', () => {
    const args = ['--data', 'a b', '--secrets', 's.json', '--port', '0', '--life', '60', '--tick', '5', '--callers', 'iam', '--verbose'];
    expect(readFlags(args)).toEqual({
      help: false,
      verbose: true,
      data: 'a b',
      secrets: 's.json',
      port: 0,
      lifeSeconds: 60,
      tickSeconds: 5,
      callers: 'iam',
    });
  });

  test.each([
    [['--port', 'eighty'], '--port must be a whole number from 0 to 65535, not eighty.'],
    [['--port', '65536'], '--port must be a whole number from 0 to 65535, not 65536.'],
    [['--life', '1.5'], '--life must be a whole number from 5 to 86400, not 1.5.'],
    [['--tick', ''], '--tick must be a whole number from 1 to 3600, not .'],
    [['--callers', 'nobody'], '--callers must be jwt or iam, not nobody.'],
    [['--frobnicate'], "Unknown option '--frobnicate'. Run npm start -- --help for what there is."],
    [['--data'], "Option '--data <value>' argument missing. Run npm start -- --help for what there is."],
    [['stray'], "Unexpected argument 'stray'. Run npm start -- --help for what there is."],
  ])('say in a sentence what is wrong with %j', (args, sentence) => {
    expect(() => readFlags(args)).toThrow(expect.objectContaining({ name: 'PlainError', message: expect.stringContaining(sentence) }));
  });
});
