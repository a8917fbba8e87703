const project = (displayName, testMatch) => ({
  displayName,
  testMatch: testMatch.map((pattern) => `<rootDir>/test/${pattern}`),
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': '<rootDir>/test/support/strip-types.mjs' },
});

// What `npm test` runs. The longer suites (e2e, kill, burst, soak, simulation, bench) are scripts of their own.
export default {
  projects: [
    project('unit', ['unit/**/*.test.ts']),
    project('contract', ['contract/**/*.test.ts']),
    project('integration', ['integration/**/*.test.ts']),
    project('infra', ['infra/**/*.test.ts']),
  ],
  maxWorkers: 2,
  // A hung test fails; a slow machine does not make one fail.
  testTimeout: 60_000,
};
