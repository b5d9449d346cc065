export default {
  displayName: 'tools',
  testMatch: ['<rootDir>/**/*.test.mjs'],
  transform: {},
};
