// Named one by one, and imported as a module of our own when first needed: a dynamic import of the whole client would keep every
// command of it in the bundle.
export { DecryptCommand, GenerateDataKeyCommand, KMSClient } from '@aws-sdk/client-kms';
