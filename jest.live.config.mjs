import { readdirSync } from 'node:fs';
import { preset } from './jest.preset.mjs';

// Tests that start a real framework in Python. `npm test` leaves them out.
export default {
  globalSetup: '<rootDir>/tools/live-setup.mjs',
  testTimeout: 120_000,
  projects: readdirSync(new URL('./packages/', import.meta.url)).map((name) => ({
    ...preset(name),
    rootDir: `packages/${name}`,
    testMatch: ['<rootDir>/src/**/*.live.ts'],
  })),
};
