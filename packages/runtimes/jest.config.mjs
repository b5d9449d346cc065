import { preset } from '../../jest.preset.mjs';

export default {
  ...preset('runtimes'),
  globalSetup: '<rootDir>/../../tools/build-runtimes.mjs',
};
