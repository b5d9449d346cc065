import { preset } from '../../jest.preset.mjs';

export default {
  ...preset('conformance'),
  globalSetup: '<rootDir>/../../tools/build-runtimes.mjs',
};
