import { memorySource } from '@drover/core';
import { filesOf } from './conversion-chain.js';
import { byName, subjects } from './subjects.js';

const fixtures = subjects.flatMap(({ models }) => models);
const fileIn = (bytes: Uint8Array) => memorySource('file', new Map([['file', bytes]]));

// Under another name: content decides.
describe.each(byName)('%s', (id, { format }) => {
  it.each(fixtures.map((each) => [each.id, each] as const))(
    'knows whether %s is its own',
    async (_, fixture) => {
      const { main, files } = await filesOf(fixture);
      for (const [name, bytes] of files) {
        const isOurs = fixture.format === id && name === main;
        expect([name, await format.detect(fileIn(bytes))]).toEqual([
          name,
          isOurs ? 'model' : undefined,
        ]);
      }
    },
  );

  it.each(['', '{}', '[]', 'null', '{"format":1}', '\uFEFF', '\0'.repeat(5000), '{"nodes":['])(
    'does not take %j for a model',
    async (text) => {
      expect(await format.detect(fileIn(new TextEncoder().encode(text)))).toBeUndefined();
    },
  );
});
