import { describe, expect, test } from '@jest/globals';
import { providersById } from '../../functions/providers/index.ts';
import { readArguments, UsageError } from '../../infra/account/arguments.ts';

const read = (line: string) => readArguments(line.split(' ').filter(Boolean), providersById());
const main = { provider: 'vidizmo', account: 'main' };

describe('the account command line', () => {
  test.each([
    ['list --stage blue', { kind: 'stage', stage: 'blue', config: 'infra/vending.config.ts' }, { command: 'list' }],
    ['show vidizmo/main --local', { kind: 'local', url: 'http://127.0.0.1:8787' }, { command: 'show', ref: main }],
    ['--local http://127.0.0.1:1/ check vidizmo/main', { kind: 'local', url: 'http://127.0.0.1:1' }, { command: 'check', ref: main }],
    ['check vidizmo/main --deployment tokens', { kind: 'deployment', deployment: 'tokens' }, { command: 'check', ref: main }],
    ['list --stage=b --config c.ts', { kind: 'stage', stage: 'b', config: 'c.ts' }, { command: 'list' }],
  ])('understands %s', (line, place, command) => {
    expect(read(line)).toEqual({ help: false, place, command });
  });

  test.each([
    ['amino/main --parameters login_user_profile=12', { login_user_profile: '12' }],
    ['movingimage-vms/main --parameters video_manager=12', { video_manager: 12 }],
    ['vidizmo/main', {}],
  ])('reads parameters as the provider types them: %s', (rest, parameters) => {
    expect(read(`reset ${rest} --local`)).toMatchObject({ command: { command: 'reset', parameters } });
    expect(read(`revoke ${rest} --local`)).toMatchObject({ command: { command: 'revoke', parameters } });
  });

  test.each(['', '--help', 'list --help'])('gives help for: %s', (line) => {
    expect(read(line)).toEqual({ help: true });
  });

  test.each([
    ['list', /^Say where: --stage NAME, --deployment NAME or --local/],
    ['list --stage a --local', /one of them/],
    ['list vidizmo/main --local', /for one: show vidizmo\/main/],
    ['show --local', /^Say which account: show provider\/account/],
    ['show vidizmo --local', /^Say which account/],
    ['show vimeo/main --local', `There is no provider vimeo; there are ${[...providersById().keys()].toSorted().join(', ')}.`],
    ['show vidizmo/a/b --local', /the name of the account must be 1 to 64 letters/],
    ['show vidizmo/main vidizmo/other --local', /One account at a time/],
    ['vend vidizmo/main --local', /^There is no command vend/],
    ['check vidizmo/main --parameters a=b --local', /is for reset and revoke, not for check/],
    ['reset vidizmo/main --parameters a --local', /must be NAME=VALUE/],
    ['reset vidizmo/main --parameters profile=1 --local', /^profile must not be sent/],
    ['reset amino/main --parameters login_user_profile=! --local', /^login_user_profile must be a profile id/],
    ['list --everywhere', /--everywhere/],
  ])('says what is wrong with: %s', (line, words) => {
    expect(() => read(line)).toThrow(UsageError);
    expect(() => read(line)).toThrow(words);
  });
});
