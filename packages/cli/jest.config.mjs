import { preset } from '../../jest.preset.mjs';

export default {
  ...preset('cli'),
  globalSetup: '<rootDir>/../../tools/build-runtimes.mjs',
};
