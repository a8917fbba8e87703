// The store contract against databases that run outside of the tests: `DYNAMODB_ENDPOINTS=name=url,… npm run test:stores`.
export default {
  rootDir: '../..',
  testMatch: ['<rootDir>/test/contract-remote/**/*.test.ts'],
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/test/support/strip-types.mjs' },
};
