import { memorySource } from '@drover/core';
import { isNamed } from '@drover/core/format';
import { filesOf } from './conversion-chain.js';
import { checkpointFixtures } from './checkpoint-fixture.js';
import { allFormats, subjects } from './subjects.js';

const fixtures = subjects.flatMap(({ models }) => models);
const checkpoints = checkpointFixtures();
const fileIn = (bytes: Uint8Array) => memorySource('file', new Map([['file', bytes]]));

// Under another name: content decides.
describe.each(allFormats.map((format) => [format.id, format] as const))('%s', (id, format) => {
  it.each(fixtures.map((each) => [each.id, each] as const))(
    'knows whether %s is its own',
    async (_, fixture) => {
      const { main, files } = await filesOf(fixture);
      for (const [name, bytes] of files) {
        // What a format keeps beside a model it may read by itself, too.
        const weights = isNamed(name, format.fileNames.checkpoint?.any ?? []) && 'checkpoint';
        const expected = fixture.format === id && (name === main ? 'model' : weights);
        expect([name, (await format.detect(fileIn(bytes))) ?? false]).toEqual([name, expected]);
      }
    },
  );

  it.each(checkpoints.map((each) => [each.id, each] as const))(
    'knows whether %s is its own checkpoint',
    async (_, fixture) => {
      const found = await format.detect(fileIn(fixture.files.get(fixture.main)!));
      expect(found).toBe(fixture.format === id ? 'checkpoint' : undefined);
    },
  );

  it.each(['', '{}', '[]', 'null', '{"format":1}', '\uFEFF', '\0'.repeat(5000), '{"nodes":['])(
    'does not take %j for a model',
    async (text) => {
      expect(await format.detect(fileIn(new TextEncoder().encode(text)))).toBeUndefined();
    },
  );
});
