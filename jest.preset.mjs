const environment = new URL('./jest.environment.mjs', import.meta.url).pathname;

/** The jest configuration of one package. */
export const preset = (displayName) => ({
  displayName,
  testTimeout: 60_000,
  testMatch: ['<rootDir>/src/**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  testEnvironment: environment,
  // `import` must not be among them: jest adds it itself where a module is imported, and would else
  // hand ES modules to require().
  testEnvironmentOptions: { customExportConditions: ['@drover/source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
});
