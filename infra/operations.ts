/** What operators and their tools must know of a deployment; none of it is secret. */
export interface Operations {
  /** name of the token table */
  table: string;
  /** name of the renewing function */
  renew: string;
  /** where callers reach the service, without a slash at the end */
  url: string;
  /** secrets are named `{secrets}/{provider}/{account}` */
  secrets: string;
  /** URL of the queue of messages that crashed a worker twice, for whoever empties it; a local run has none */
  deadLetters?: string | undefined;
}

/** @returns the name of the parameter that holds it, so that a deployment is found by its name alone, whatever stack it is part of */
export function operationsParameter(deployment: string): string {
  return `/${deployment}/operations`;
}
