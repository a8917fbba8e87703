// As in kms-client.ts: only what is named here stays in the bundle.
export { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
