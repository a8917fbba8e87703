import { describe, expect, test } from '@jest/globals';
import { configurations, readConfiguration } from '../../functions/configuration.ts';

const common = { TABLE_NAME: 'tokens', DEPLOYMENT: 'prod' };
const QUEUE_URL = 'https://sqs.example/1/renewals';
const renewing = { ...common, KEY_ID: 'key', SECRET_PREFIX: 'tokens/prod', QUEUE_URL };
const vending = { ...common, GRANTS_PATH: '/tokens/grants', KEY_ID: 'key', RENEW_FUNCTION: 'renew' };

describe('the configuration', () => {
  test('names every broken variable at once, with its value and its rule', () => {
    const broken = { TABLE_NAME: 'two words', DUE_SHARDS: '0', KEY_ID: 'key', SECRET_PREFIX: 'a/', EGRESS_ORIGINS: 'http://a', QUEUE_URL };
    expect(() => readConfiguration(configurations.renewTokenSets, broken)).toThrow(
      [
        'configuration: TABLE_NAME must be set, without spaces, but is "two words"',
        'DEPLOYMENT must be set',
        'DUE_SHARDS must be a whole number from 1 to 256, but is "0"',
        'SECRET_PREFIX must be a secret name without a slash at its end, but is "a/"',
        'EGRESS_ORIGINS must be https origins, separated by spaces, but is "http://a"',
      ].join('; '),
    );
  });

  test('has a default where most deployments want the same', () => {
    expect(readConfiguration(configurations.renewTokenSets, renewing)).toEqual({
      ...renewing,
      DUE_SHARDS: 1,
      EGRESS_ORIGINS: [],
      MAX_TOKEN_SETS: 1000,
    });
  });

  test('takes private origins as a list of words', () => {
    const origins = { EGRESS_ORIGINS: 'https://a.example https://b.example:8443' };
    const { EGRESS_ORIGINS } = readConfiguration(configurations.renewTokenSets, { ...renewing, ...origins });
    expect(EGRESS_ORIGINS).toEqual(['https://a.example', 'https://b.example:8443']);
  });

  test('lets callers sign with IAM credentials unless it says otherwise', () => {
    expect(readConfiguration(configurations.vendToken, vending).CALLERS).toEqual({ kind: 'iam' });
  });

  test('takes an issuer and the scope that its tokens must carry', () => {
    const read = readConfiguration(configurations.vendToken, { ...vending, CALLERS: 'jwt https://login.example.com/ tokens:vend' });
    expect(read.CALLERS).toEqual({ kind: 'jwt', issuer: 'https://login.example.com/', scope: 'tokens:vend' });
  });

  test('refuses an issuer without a scope, because then an ID token would pass', () => {
    const without = { ...vending, CALLERS: 'jwt https://login.example.com/' };
    expect(() => readConfiguration(configurations.vendToken, without)).toThrow('CALLERS must be "iam" or "jwt {issuer} {scope}"');
  });
});
