import type { Accounts } from './accounts.ts';

/** What the functions of a run are told about it. */
export interface FunctionSetting {
  /** its name, which its table and its secrets have, too */
  deployment: string;
  keyId: string;
  queueUrl: string;
  /** name of the renewing function */
  renew: string;
  /** how callers prove who they are */
  callers: string;
  accounts: Accounts;
}

/** @returns the path under which a deployment's grants are parameters */
export function grantsPathOf(deployment: string): string {
  return `/${deployment}/grants`;
}

/** @returns the functions' own variables, those of their AWS clients apart */
export function functionVariables(setting: FunctionSetting): Readonly<Record<string, string>> {
  const { deployment, keyId, queueUrl, renew, callers, accounts } = setting;
  return {
    TABLE_NAME: deployment,
    DEPLOYMENT: deployment,
    SECRET_PREFIX: deployment,
    KEY_ID: keyId,
    QUEUE_URL: queueUrl,
    RENEW_FUNCTION: renew,
    GRANTS_PATH: grantsPathOf(deployment),
    CALLERS: callers,
    EGRESS_ORIGINS: originsOf(accounts).join(' '),
  };
}

/**
 * Whoever writes a URL into an account's secret for a local run means it, also where it is in a private network.
 *
 * @returns the origin of every https URL that is a member of a secret, whatever the provider calls it
 */
export function originsOf(accounts: Accounts): readonly string[] {
  const values = Object.values(accounts).flatMap((secret) => Object.values(secret));
  const urls = values.filter((value) => typeof value === 'string' && value.startsWith('https://') && URL.canParse(value));
  return [...new Set(urls.map((url) => new URL(String(url)).origin))];
}
