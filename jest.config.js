export default {
  roots: ['<rootDir>/dist-test'],
  testRegex: '\\.spec\\.js$',
  testEnvironment: '<rootDir>/test/support/environment.js',
  transform: {},
  testTimeout: 120_000,
  maxWorkers: 2,
  coverageProvider: 'v8',
  reporters: ['default', '<rootDir>/test/support/closing-line.js'],
};
