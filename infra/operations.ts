/** What an operator's tools must know of a deployment; none of it is secret. */
export interface Operations {
  /** name of the token table */
  table: string;
  /** name of the renewing function */
  renew: string;
  /** where callers reach the service, without a slash at the end */
  url: string;
  /** secrets are named `{secrets}/{provider}/{account}` */
  secrets: string;
}

/** @returns the name of the parameter that holds it, so that a deployment is found by its name alone, whatever stack it is part of */
export function operationsParameter(deployment: string): string {
  return `/${deployment}/operations`;
}
