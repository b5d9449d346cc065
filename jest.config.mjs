// The limit holds for the whole run: jest passes it over in a project's own configuration.
export default {
  projects: ['<rootDir>/packages/*', '<rootDir>/tools'],
  maxWorkers: '100%',
  testTimeout: 60_000,
};
