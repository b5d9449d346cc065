export default { projects: ['<rootDir>/packages/*'], maxWorkers: '100%' };
