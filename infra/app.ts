import path from 'node:path';
import { App, CfnOutput, Stack, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { TokenVending } from './token-vending.ts';
import { readConfig } from './vending-config.ts';

const app = new App();
const stage = String(app.node.tryGetContext('stage') ?? 'sandbox');
const file = String(app.node.tryGetContext('config') ?? 'infra/vending.config.ts');
if (!/^[a-z][a-z0-9-]{0,30}$/.test(stage)) throw new Error(`stage "${stage}" must be lower case letters, digits and hyphens, at most 31`);

const { config: exported }: { config?: unknown } = await import(path.resolve(file));
const config = readConfig(exported);
const deployment = `${config.name}-${stage}`;
const stack = new Stack(app, deployment, { description: `Token vending, stage ${stage}` });
const { callers = 'iam', ...props } = { ...config.everyStage, ...config.stages[stage] };
const vending = new TokenVending(stack, 'Vending', { ...props, callers, deployment });
new CfnOutput(stack, 'Url', { value: vending.url });
new CfnOutput(stack, 'SecretPrefix', { value: vending.secretPrefix });
new CfnOutput(stack, 'GrantsPath', { value: vending.grantsPath });
// A grant of the configuration is the service's half; the caller's role needs its own. See docs/callers.md.
if (callers === 'iam') new CfnOutput(stack, 'VendArn', { value: vending.vendArn });
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
