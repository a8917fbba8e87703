import { App, CfnOutput, Stack } from 'aws-cdk-lib';
import { AccountRootPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { TokenVending } from 'token-vending';

/** The service, as a team that already has a CDK app puts it beside its own things. */
class Tokens extends Stack {
  readonly vending: TokenVending;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.vending = new TokenVending(this, 'Tokens', {
      deployment: id,
      privateOrigins: String(this.node.getContext('privateOrigins')).split(' '),
    });
    new CfnOutput(this, 'Url', { value: this.vending.url });
  }
}

/** An app in a stack of its own, whose role gets its name from CloudFormation. */
class Importer extends Stack {
  constructor(scope: Construct, id: string, vending: TokenVending) {
    super(scope, id);
    const role = new Role(this, 'Role', { path: '/importers/', assumedBy: new AccountRootPrincipal() });
    vending.grantVend(role, 'vidizmo/main');
    new CfnOutput(this, 'RoleName', { value: role.roleName });
  }
}

const app = new App();
const tokens = new Tokens(app, 'sample-tokens');
new Importer(app, 'sample-importer', tokens.vending);
