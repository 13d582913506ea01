const config = require('./jest.config.js');

/** What takes real time: whole commands, real speech. CI runs it after `npm test`. */
module.exports = {
  ...config,
  testPathIgnorePatterns: ['/node_modules/'],
  testMatch: ['<rootDir>/test/slow/**/*.test.ts'],
  testTimeout: 180_000,
  maxWorkers: 1,
};
