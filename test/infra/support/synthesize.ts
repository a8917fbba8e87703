import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { TokenVending } from '../../../infra/token-vending.ts';
import type { TokenVendingProps } from '../../../infra/token-vending.ts';

/** A statement of a policy as it stands in a template. */
export interface Statement {
  Effect: string;
  Action: string | string[];
  Resource: unknown;
  Condition?: unknown;
}

// Bundling tells nothing about a template and takes seconds; one suite bundles.
const withoutBundling = { context: { 'aws:cdk:bundling-stacks': [] } };

/**
 * @param props on top of a sandbox called `tokens-test`; a function where they need the stack
 * @param more adds to the stack before it is synthesized
 */
export function synthesize(
  props: Partial<TokenVendingProps> | ((stack: Stack) => Partial<TokenVendingProps>) = {},
  more: (stack: Stack, vending: TokenVending) => void = () => undefined,
) {
  const app = new App(withoutBundling);
  const stack = new Stack(app, 'tokens-test', { env: { account: '111122223333', region: 'eu-central-1' } });
  const vending = new TokenVending(stack, 'Vending', {
    deployment: 'tokens-test',
    ...(typeof props === 'function' ? props(stack) : props),
  });
  more(stack, vending);
  const template = Template.fromStack(stack);
  return { app, stack, vending, template, text: JSON.stringify(template.toJSON()) };
}

/** @returns every statement of the policies of a function's role, by the function's description */
export function statementsOf(template: Template, description: RegExp): Statement[] {
  const functions = template.findResources('AWS::Lambda::Function', {
    Properties: { Description: Match.stringLikeRegexp(description.source) },
  });
  const [found] = Object.values(functions) as { Properties: { Role: { 'Fn::GetAtt': [string, string] } } }[];
  const role = found?.Properties.Role['Fn::GetAtt'][0];
  const policies = Object.values(template.findResources('AWS::IAM::Policy')) as {
    Properties: { Roles: { Ref: string }[]; PolicyDocument: { Statement: Statement[] } };
  }[];
  return policies
    .filter(({ Properties }) => Properties.Roles.some(({ Ref }) => Ref === role))
    .flatMap(({ Properties }) => Properties.PolicyDocument.Statement);
}
