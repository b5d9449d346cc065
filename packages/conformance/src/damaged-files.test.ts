import { DroverError, MemorySink, memorySource, openModel, Report, convert } from '@drover/core';
import fc from 'fast-check';
import { filesOf, type FixtureFiles } from './conversion-chain.js';
import { byName, isCatalogued, type Subject } from './subjects.js';

/** Reads a model with all its weights and copies it; the codes of everything that is found. */
async function findingsOf({ format }: Subject, { main, params, files }: FixtureFiles) {
  const report = new Report();
  const source = memorySource(main, files);
  const given = params === undefined ? undefined : memorySource(params, files);
  const failed: DroverError[] = [];
  for (const use of [
    async () => {
      const model = await openModel(source, format, { report, params: given });
      for (const { weight } of model.store) await weight.bytes();
    },
    () => convert({ from: format, to: format, source, params: given, sink: new MemorySink() }),
  ]) {
    try {
      await use();
    } catch (error) {
      if (!(error instanceof DroverError)) throw error;
      failed.push(error);
    }
  }
  const all = [...report.diagnostics, ...failed.flatMap(({ diagnostics }) => diagnostics)];
  for (const { code, help } of all) {
    expect([code, isCatalogued(code, format)]).toEqual([code, true]);
    expect(help).not.toBe('');
  }
  return { isRefused: failed.length > 0, codes: new Set(all.map(({ code }) => code)) };
}

const changed = (whole: FixtureFiles, name: string, bytes: Uint8Array): FixtureFiles => ({
  ...whole,
  files: new Map([...whole.files, [name, bytes]]),
});

describe.each(byName)('%s', (_, subject) => {
  const fixtures = subject.models.slice(0, 2).map((each) => [each.id, each] as const);

  it.each(fixtures)('reads all of %s', async (_, fixture) => {
    expect((await findingsOf(subject, await filesOf(fixture))).isRefused).toBe(false);
  });

  it.each(fixtures)('refuses %s where a file is cut short or empty', async (_, fixture) => {
    const whole = await filesOf(fixture);
    for (const [name, bytes] of whole.files) {
      for (const length of [0, Math.floor(bytes.length / 2), bytes.length - 1]) {
        const { isRefused } = await findingsOf(
          subject,
          changed(whole, name, bytes.slice(0, length)),
        );
        // A line end at the end of a text says nothing.
        const isBlank = length > 0 && bytes.slice(length).every((byte) => byte <= 0x20);
        expect([name, length, isRefused || isBlank]).toEqual([name, length, true]);
      }
    }
  });

  it.each(fixtures)('refuses %s where a file is missing', async (_, fixture) => {
    const whole = await filesOf(fixture);
    for (const name of whole.files.keys()) {
      if (name === whole.main) continue;
      const files = new Map([...whole.files].filter(([each]) => each !== name));
      const { codes } = await findingsOf(subject, { ...whole, params: undefined, files });
      expect([name, codes]).toEqual([name, new Set(['core/missing-file'])]);
    }
  });

  it.each(fixtures)(
    'reads %s with any bits flipped, or ends in a typed error',
    async (_, fixture) => {
      const whole = await filesOf(fixture);
      const flip = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), bit: fc.nat(7) });
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...whole.files),
          fc.array(flip, { minLength: 1, maxLength: 8 }),
          async ([name, bytes], flips) => {
            const damaged = bytes.slice();
            for (const { at, bit } of flips)
              damaged[Math.floor(at * (bytes.length - 1))]! ^= 1 << bit;
            await findingsOf(subject, changed(whole, name, damaged));
          },
        ),
        { numRuns: 60, seed: 20261121 },
      );
    },
  );
});
