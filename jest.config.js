export default {
  roots: ['<rootDir>/dist-test'],
  testRegex: '\\.spec\\.js$',
  testEnvironment: '<rootDir>/test/support/environment.js',
  transform: {},
  testTimeout: 120_000,
  maxWorkers: 2,
  // A process keeps something of each suite that it ran, and collecting that took the last ones ten times their time.
  workerIdleMemoryLimit: '700MB',
  coverageProvider: 'v8',
  reporters: ['default', '<rootDir>/test/support/closing-line.js'],
};
