// The limit holds for the whole run: jest passes it over in a project's own configuration.
export default { projects: ['<rootDir>/packages/*'], maxWorkers: '100%', testTimeout: 60_000 };
