import {
  convert,
  DroverError,
  MemorySink,
  memorySource,
  openCheckpoint,
  Report,
  type Checkpoint,
  type Format,
} from '@drover/core';
import { usualName } from '@drover/core/format';
import fc from 'fast-check';
import { checkpointFixtures, type CheckpointFixture } from './checkpoint-fixture.js';
import { allFormats, isCatalogued } from './subjects.js';

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const formats = allFormats.filter(({ checkpoint }) => checkpoint);
const fixtures = checkpointFixtures();
const named = fixtures.map((fixture) => [fixture.id, fixture] as const);
const formatOf = ({ format }: CheckpointFixture): Format =>
  formats.find(({ id }) => id === format)!;

/** All that a checkpoint says, tensors by their names: what the others tell, too, in any order. */
async function contentOf({ store }: Checkpoint) {
  const tensors = await Promise.all(
    [...store].map(
      async ({ name, weight, aliases }) =>
        [
          name,
          {
            dtype: weight.dtype,
            shape: weight.shape,
            data: base64(await weight.bytes()),
            aliases: aliases.toSorted(),
          },
        ] as const,
    ),
  );
  return { tensors: new Map(tensors), metadata: store.metadata };
}

/** Tensors by all of their names, whichever of them comes first. */
const byAnyName = (tensors: Awaited<ReturnType<typeof contentOf>>['tensors']) =>
  new Map(
    [...tensors].map(([name, { aliases, ...rest }]) => [
      [name, ...aliases].toSorted().join('\n'),
      rest,
    ]),
  );

/** What a target told that it changes: the tensors come back with the same elements alone. */
const changes: ReadonlySet<string> = new Set(['core/untied', 'mxnet/scalar', 'tfjs/as-int32']);

/** The elements of tensors under each of their names. */
const elementsOf = ({ store }: Checkpoint) =>
  Promise.all(
    [...store].map(async ({ name, weight, aliases }) => {
      const { data } = await weight.tensor();
      const elements = Array.from<unknown>(data).map((x) =>
        typeof x === 'bigint' ? Number(x) : x,
      );
      return [name, ...aliases].map((each) => [each, elements] as const);
    }),
  ).then((all) => new Map(all.flat()));

it('every format of checkpoints has some, and every one of them is of such a format', () => {
  const has = fixtures.map(({ format }) => format);
  expect([...new Set(has)].toSorted()).toEqual(formats.map(({ id }) => id).toSorted());
});

it.each(named)('%s holds what its own library reads from it', async (_, fixture) => {
  const { source, expected } = fixture;
  const aliases = Object.entries(expected.aliases);
  const { tensors, metadata } = await contentOf(await openCheckpoint(source, formatOf(fixture)));
  expect(tensors).toEqual(
    new Map(
      expected.tensors.map(({ name, ...tensor }) => [
        name,
        { ...tensor, aliases: aliases.flatMap(([alias, of]) => (of === name ? [alias] : [])) },
      ]),
    ),
  );
  expect(Object.fromEntries(metadata)).toEqual(expected.metadata);
});

const writers = formats.filter(({ checkpoint }) => checkpoint?.write);
/** A whole model of Keras 1, whose weights take the names and layouts of later versions. */
const isUpgraded = ({ expected: { metadata } }: CheckpointFixture, { id }: Format) =>
  id === 'keras' && /^1\./.test(metadata['keras_version'] ?? '');
const pairs = writers.flatMap((to) =>
  fixtures
    .filter((fixture) => !isUpgraded(fixture, to))
    .map((fixture) => [fixture.id, to.id, fixture, to] as const),
);

describe.each(pairs)('%s to %s', (_, __, fixture, to) => {
  const from = formatOf(fixture);
  const { source } = fixture;

  it('and back is the same, bit for bit, and so is the second writing', async () => {
    const written = async (sink = new MemorySink()) => {
      const { diagnostics } = await convert({ from, to, source, sink });
      return { files: sink.files, isChanged: diagnostics.some(({ code }) => changes.has(code)) };
    };
    let there: Awaited<ReturnType<typeof written>>;
    try {
      there = await written();
    } catch (error) {
      // What a target cannot hold it has to say by name.
      if (!(error instanceof DroverError)) throw error;
      expect(from).not.toBe(to);
      for (const { code } of error.diagnostics) expect(isCatalogued(code, from, to)).toBe(true);
      return;
    }
    expect(await written()).toEqual(there);
    const copy = memorySource(usualName(to, 'checkpoint'), there.files);
    const back = new MemorySink();
    await convert({ from: to, to: from, source: copy, sink: back });
    const again = memorySource(usualName(from, 'checkpoint'), back.files);
    const [first, last] = [await openCheckpoint(source, from), await openCheckpoint(again, from)];
    if (there.isChanged) {
      expect(await elementsOf(last)).toEqual(await elementsOf(first));
      return;
    }
    const { tensors, metadata } = await contentOf(last);
    const expected = await contentOf(first);
    // Further names may come from texts beside the tensors, which not every format has.
    const isWhole = [...expected.metadata].every(([key, text]) => metadata.get(key) === text);
    const seen = isWhole ? (each: typeof tensors) => each : byAnyName;
    expect(seen(tensors)).toEqual(seen(expected.tensors));
  });

  it('can be tried without being written', async () => {
    const sink = new MemorySink();
    await convert({ from, to, source, sink, dryRun: true }).catch((error: unknown) => {
      if (!(error instanceof DroverError) || from === to) throw error;
    });
    expect(sink.files.size).toBe(0);
  });
});

/** Reads a checkpoint with all its weights; the codes of everything that is found. */
async function findingsOf(format: Format, main: string, files: CheckpointFixture['files']) {
  const report = new Report();
  let failed: DroverError | undefined;
  try {
    const { store } = await openCheckpoint(memorySource(main, files), format, { report });
    for (const { weight } of store) await weight.bytes();
  } catch (error) {
    if (!(error instanceof DroverError)) throw error;
    failed = error;
  }
  const all = [...report.diagnostics, ...(failed?.diagnostics ?? [])];
  for (const { code, help } of all) {
    expect([code, isCatalogued(code, format)]).toEqual([code, true]);
    expect(help).not.toBe('');
  }
  return { isRefused: failed !== undefined, codes: all.map(({ code }) => code) };
}

describe.each(named)('%s', (_, fixture) => {
  const { main, files } = fixture;
  const format = formatOf(fixture);

  it('is refused where a file is cut short or empty', async () => {
    for (const [name, bytes] of files) {
      for (const length of [0, Math.floor(bytes.length / 2), bytes.length - 1]) {
        const cut = new Map([...files, [name, bytes.slice(0, length)]]);
        const { isRefused } = await findingsOf(format, main, cut);
        // A line end at the end of a text says nothing.
        const isBlank = length > 0 && bytes.slice(length).every((byte) => byte <= 0x20);
        expect([name, length, isRefused || isBlank]).toEqual([name, length, true]);
      }
    }
  });

  it('is refused where a file is missing', async () => {
    for (const name of files.keys()) {
      if (name === main) continue;
      const left = new Map([...files].filter(([each]) => each !== name));
      const { codes } = await findingsOf(format, main, left);
      expect([name, codes]).toEqual([name, ['core/missing-file']]);
    }
  });

  it('with any bits flipped is read, or ends in a typed error', async () => {
    const flip = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), bit: fc.nat(7) });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...files),
        fc.array(flip, { minLength: 1, maxLength: 8 }),
        async ([name, bytes], flips) => {
          const damaged = bytes.slice();
          for (const { at, bit } of flips)
            damaged[Math.floor(at * (bytes.length - 1))]! ^= 1 << bit;
          await findingsOf(format, main, new Map([...files, [name, damaged]]));
        },
      ),
      { numRuns: 300, seed: 20261121 },
    );
  });
});
