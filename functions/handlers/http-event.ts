import type { IamIdentity, JwtIdentity } from '../core/caller.ts';

/**
 * What is read of API Gateway's event (HTTP API, payload format 2.0).
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export interface HttpEvent {
  /** `POST /v1/tokens/{provider}/{account}`, or `$default` */
  routeKey: string;
  /** lower-case names */
  headers?: Readonly<Record<string, string | undefined>> | undefined;
  /** decoded; a name given twice is one value with commas */
  queryStringParameters?: Readonly<Record<string, string | undefined>> | undefined;
  /** decoded */
  pathParameters?: Readonly<Record<string, string | undefined>> | undefined;
  body?: string | null | undefined;
  isBase64Encoded?: boolean | undefined;
  requestContext: {
    /** AWS account of the API */
    accountId?: string | undefined;
    requestId?: string | undefined;
    authorizer?: { iam?: IamIdentity | null | undefined; jwt?: JwtIdentity | null | undefined } | null | undefined;
  };
}
