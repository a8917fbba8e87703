import { describe, expect, test } from '@jest/globals';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { TokenVending } from '../../infra/token-vending.ts';
import { synthesize } from './support/synthesize.ts';
import type { Statement } from './support/synthesize.ts';

const lambda = new ServicePrincipal('lambda.amazonaws.com');

/** The grants that stand besides the operator's parameter. */
function grantsIn(template: Template): { id: string; name: string; value: string }[] {
  const parameters = Object.entries(template.findResources('AWS::SSM::Parameter')) as [
    string,
    { Properties: { Name: string; Value: unknown } },
  ][];
  return parameters
    .filter(([, { Properties }]) => JSON.stringify(Properties.Name).includes('/grants/'))
    .map(([id, { Properties }]) => ({ id, name: Properties.Name, value: JSON.stringify(Properties.Value) }));
}

/** The one grant. */
function grantIn(template: Template): { id: string; name: string; value: string } {
  return grantsIn(template)[0] ?? { id: '', name: '', value: '' };
}

function invocations(template: Template): string[] {
  const policies = Object.values(template.findResources('AWS::IAM::Policy')) as {
    Properties: { PolicyDocument: { Statement: Statement[] } };
  }[];
  return policies
    .flatMap(({ Properties }) => Properties.PolicyDocument.Statement)
    .filter(({ Action }) => Action === 'execute-api:Invoke')
    .flatMap(({ Resource }) => [Resource].flat())
    .map((resource) => /\$default\/[^"]*/.exec(JSON.stringify(resource))?.[0] ?? '');
}

/** A role that is granted accounts one after the other. */
function vendingAll(accounts: readonly string[]): Template {
  const grant = (stack: Stack, vending: TokenVending) => {
    const role = new Role(stack, 'Importer', { assumedBy: lambda });
    for (const account of accounts) vending.grantVend(role, account);
  };
  return synthesize({}, grant).template;
}

/** Grants of the configuration to one role. */
function configuredWith(accounts: readonly string[]): Template {
  const props = (stack: Stack) => {
    const { roleArn: caller } = new Role(stack, 'Importer', { assumedBy: lambda });
    return { grants: accounts.map((account) => ({ caller, operations: ['vend' as const], accounts: [account] })) };
  };
  return synthesize(props).template;
}

describe('grantVend', () => {
  test('gives the grant and the permission to call that one path, in one line', () => {
    const { template } = synthesize({}, (stack, vending) =>
      vending.grantVend(new Role(stack, 'Importer', { assumedBy: lambda }), 'vidizmo/main'),
    );
    expect(invocations(template)).toEqual(['$default/POST/v1/tokens/vidizmo/main']);
    const { name, value } = grantIn(template);
    expect(name).toMatch(/^\/tokens-test\/grants\/[0-9a-f]{24}$/);
    expect(value).toContain(String.raw`\"operations\":[\"vend\"],\"accounts\":[\"vidizmo/main\"]`);
  });

  test("names the role by its name as deployed, without the role's path", () => {
    const { template } = synthesize({}, (stack, vending) =>
      vending.grantVend(new Role(stack, 'Importer', { assumedBy: lambda, path: '/apps/' }), 'vidizmo/main'),
    );
    expect(grantIn(template).value).toMatch(/iam::111122223333:role\/",\{"Ref":"Importer/);
  });

  test('gives every call of the operations that it names', () => {
    const { template } = synthesize({}, (stack, vending) =>
      vending.grantVend(new Role(stack, 'Operator', { assumedBy: lambda }), 'amino/*', {
        operations: ['vend', 'revoke', 'inspect', 'reset'],
      }),
    );
    expect(invocations(template)).toEqual([
      '$default/POST/v1/tokens/amino/*',
      '$default/POST/v1/tokens/amino/*/revoke',
      '$default/GET/v1/accounts',
      '$default/GET/v1/accounts/amino/*',
      '$default/POST/v1/accounts/amino/*/reset',
    ]);
  });

  test('carries allowed parameters and the highest min_ttl', () => {
    const { template } = synthesize({}, (stack, vending) =>
      vending.grantVend(new Role(stack, 'Importer', { assumedBy: lambda }), 'amino/main', {
        parameters: { profile_id: [7] },
        maxMinTtlSeconds: 60,
      }),
    );
    expect(grantIn(template).value).toContain(String.raw`\"parameters\":{\"profile_id\":[7]},\"maxMinTtlSeconds\":60`);
  });

  test('grants a role as many things as there are calls, with other options each, and accounts whose names differ by a sign alone', () => {
    const { template } = synthesize({}, (stack, vending) => {
      const role = new Role(stack, 'Importer', { assumedBy: lambda });
      vending.grantVend(role, 'amino/main', { parameters: { profile_id: [7] } });
      vending.grantVend(role, 'amino/main', { operations: ['inspect'] });
      vending.grantVend(role, 'vidizmo/a.b');
      vending.grantVend(role, 'vidizmo/a_b');
    });
    const grants = grantsIn(template);
    expect(grants).toHaveLength(4);
    expect(new Set(grants.map(({ name }) => name)).size).toBe(4);
    expect(invocations(template)).toHaveLength(5);
  });

  test('the same grant twice is one grant, however it is written', () => {
    const { template } = synthesize({}, (stack, vending) => {
      const role = new Role(stack, 'Importer', { assumedBy: lambda });
      vending.grantVend(role, 'vidizmo/main');
      vending.grantVend(role, 'vidizmo/main', { operations: ['vend'] });
      vending.grantVend(role, 'amino/main', { operations: ['vend', 'inspect'], parameters: { a: [1], b: '*' } });
      vending.grantVend(role, 'amino/main', { operations: ['inspect', 'vend', 'vend'], parameters: { b: '*', a: [1] } });
    });
    expect(grantsIn(template)).toHaveLength(2);
    expect(invocations(template)).toHaveLength(4);
  });

  test('a grant keeps its name, whatever else is granted before it', () => {
    const alone = grantIn(vendingAll(['vidizmo/main']));
    expect(grantsIn(vendingAll(['amino/main', 'amino/other', 'vidizmo/main']))).toContainEqual(alone);
  });

  test('a role in a stack of its own takes its grant along, and the stacks do not depend on each other in a circle', () => {
    const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
    const tokens = new Stack(app, 'tokens');
    const vending = new TokenVending(tokens, 'Vending', { deployment: 'tokens' });
    const importer = new Stack(app, 'importer');
    vending.grantVend(new Role(importer, 'Role', { assumedBy: lambda }), 'vidizmo/main');
    expect(() => app.synth()).not.toThrow();
    expect(grantIn(Template.fromStack(importer)).name).toMatch(/^\/tokens\/grants\//);
  });

  test('refuses a role of another AWS account, which assumes one of ours instead', () => {
    expect(() =>
      synthesize({}, (stack, vending) =>
        vending.grantVend(Role.fromRoleArn(stack, 'Other', 'arn:aws:iam::999999999999:role/x'), 'vidizmo/main'),
      ),
    ).toThrow('assume a role in the account of the service');
  });

  test('refuses JWT callers, who have no role', () => {
    const callers = { issuer: 'https://issuer.example', audience: 'tokens', scope: 'tokens:use' };
    expect(() =>
      synthesize({ callers }, (stack, vending) => vending.grantVend(new Role(stack, 'Importer', { assumedBy: lambda }), 'vidizmo/main')),
    ).toThrow('for IAM callers');
  });
});

describe('grants of the configuration', () => {
  const grant = { caller: 'https://issuer.example#app', operations: ['vend' as const], accounts: ['vidizmo/main'] };

  test('each is a parameter of its own', () => {
    const { template } = synthesize({ grants: [grant, { ...grant, accounts: ['amino/*'] }] });
    const parameters = template.findResources('AWS::SSM::Parameter', {
      Properties: { Description: 'Who may do what with which accounts' },
    });
    expect(Object.keys(parameters)).toHaveLength(2);
  });

  test('each keeps its name, whatever stands before it, also where its caller is known only when it is deployed', () => {
    const alone = grantIn(configuredWith(['vidizmo/main']));
    expect(grantsIn(configuredWith(['amino/*', 'amino/main', 'vidizmo/main']))).toContainEqual(alone);
  });

  test('the same grant listed twice is one grant', () => {
    const { template } = synthesize({ grants: [grant, { ...grant }] });
    expect(grantsIn(template)).toHaveLength(1);
  });

  test.each([
    ['an account without its provider', { accounts: ['main'] }],
    ['an operation that does not exist', { operations: ['read'] }],
    ['no operation', { operations: [] }],
    ['an empty caller', { caller: '' }],
    ['a misspelt restriction, which must not read as none', { parameter: { profile_id: [1] } }],
    ['more than the 4 KB of a parameter', { parameters: { profile_id: Array.from({ length: 2_000 }, (_, index) => index) } }],
  ])('%s is refused before anything is deployed', (_, wrong) => {
    expect(() => synthesize({ grants: [{ ...grant, ...wrong } as typeof grant] })).toThrow('grant');
  });
});

test.each([
  ['a deployment that is no name', { deployment: 'a b' }],
  ['a prefix with a slash at its end', { secretPrefix: 'video/' }],
  ['an origin with a path', { privateOrigins: ['https://video.example/api'] }],
  ['an origin without TLS', { privateOrigins: ['http://video.example'] }],
])('%s is refused', (_, props) => {
  expect(() => synthesize(props)).toThrow(Object.keys(props)[0]);
});
