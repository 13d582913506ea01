/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/slow/'],
  transform: { '\\.ts$': ['ts-jest', { diagnostics: false }] },
  setupFiles: ['<rootDir>/test/support/environment.ts'],
  testTimeout: 30_000,
  // Two cores: a third worker only makes real-time tests late.
  maxWorkers: 2,
  // Of `test.concurrent`: scenarios that wait most of their time.
  maxConcurrency: 2,
};
