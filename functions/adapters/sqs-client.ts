// As in kms-client.ts: only what is named here stays in the bundle.
export { ChangeMessageVisibilityCommand, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
