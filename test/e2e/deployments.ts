import { randomUUID } from 'node:crypto';
import { run } from './processes.ts';

/** Where the synthesized templates of a deployment go, below the project's root. */
export const assemblyOf = (name: string): string => `.cache/e2e/${name}`;

/** The commands of the project and its CLI, run as an operator runs them. */
export function createDeployments(env: Readonly<Record<string, string>>, account: string, region: string) {
  const cdk = (args: readonly string[]) => run(process.execPath, ['infra/bootstrap.mjs', '--bin', 'cdk', ...args], env);
  const stage = (command: 'deploy' | 'destroy', name: string, ...more: string[]) =>
    run('npm', ['run', '--silent', command, '--', '--stage', name, '--context', 'config=test/e2e/vending.config.ts', ...more], env);
  const origins = `privateOrigins=${env['E2E_PRIVATE_ORIGINS']}`;
  const sample = ['--app', `${process.execPath} test/sample-app/app.ts`, '--context', origins, '--output', assemblyOf('sample')];

  return {
    bootstrap: () => cdk(['bootstrap', `aws://${account}/${region}`, '--output', assemblyOf(`bootstrap-${randomUUID()}`)]),
    deploy: (name: string) => stage('deploy', name, '--output', assemblyOf(name)),
    destroy: (name: string) => stage('destroy', name, '--force', '--output', assemblyOf(name)),
    account: (name: string, ...args: string[]) =>
      run('npm', ['run', '--silent', 'account', '--', ...args, '--stage', name, '--config', 'test/e2e/vending.config.ts'], env),
    deploySample: () => cdk(['deploy', '--all', '--require-approval', 'never', ...sample]),
    destroySample: () => cdk(['destroy', '--all', '--force', ...sample]),
  };
}

export type Deployments = ReturnType<typeof createDeployments>;
