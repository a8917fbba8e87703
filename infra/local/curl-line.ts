import { region } from './aws/protocol.ts';
import type { LocalStack } from './stack.ts';

/**
 * A command to paste: it vends a token of an account.
 *
 * @param account `provider/account`
 * @param callers how this run's callers prove who they are
 * @returns one line
 */
export function curlLine(stack: Pick<LocalStack, 'url' | 'callers'>, account: string, callers: 'jwt' | 'iam'): string {
  const { jwt, accessKeyId, secretAccessKey } = stack.callers.developer;
  const proof =
    callers === 'jwt'
      ? `-H 'Authorization: Bearer ${jwt}'`
      : `--aws-sigv4 aws:amz:${region}:execute-api --user ${accessKeyId}:${secretAccessKey}`;
  return `curl -sS -X POST ${proof} ${stack.url}/v1/tokens/${account}`;
}
