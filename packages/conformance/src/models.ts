import {
  convert,
  DroverError,
  MemorySink,
  memorySource,
  openModel,
  Report,
  writeModel,
  type ConversionReport,
  type Runtime,
} from '@drover/core';
import {
  convertInMemory,
  declaredBy,
  openFixture,
  worstDistance,
  type WrittenModel,
} from './conversion-chain.js';
import { knownFailures } from './known-failures.js';
import type { ModelFixture } from './model-fixture.js';
import { isCatalogued, isNotYet, subjects, writers, type Subject } from './subjects.js';

/**
 * How far a converted model may be from what the framework computed, as a share of the largest
 * value. The fixtures' own generators found up to 1e-6 between two runtimes of one framework.
 */
const maxDistance = 1e-5;

/**
 * Basic Pitch filters most of a sound away and takes the logarithm of the rest: its own file is
 * 1e-4 off in TF.js on WebAssembly and 1e-3 in float64.
 */
const large = { id: /^basic_pitch\//, maxDistance: 2e-3 };

/** What runs models instead of what {@link subjects} say, by format. */
export type Running = ReadonlyMap<string, Runtime>;

const runtimeOf = ({ id, runtime }: Subject, running: Running) => running.get(id) ?? runtime;

const limitOf = ({ id }: ModelFixture) => (large.id.test(id) ? large.maxDistance : maxDistance);

/**
 * Fails unless a check passes, fails in the way that the list of known failures says, or fails for
 * operators that a format does not write yet.
 */
async function expectAsKnown(id: string, chain: string, check: () => Promise<void>): Promise<void> {
  const known = knownFailures.find((failure) => failure.model === id && failure.chain === chain);
  let code: string | undefined;
  let error: unknown;
  try {
    await check();
  } catch (thrown) {
    error = thrown;
    code =
      thrown instanceof DroverError
        ? thrown.diagnostics.find(({ severity }) => severity === 'error')?.code
        : 'differs';
  }
  if (known === undefined && isNotYet(error)) return;
  if (known === undefined && error !== undefined) throw error;
  // A known failure that passes has to leave the list.
  expect({ model: id, chain, code }).toEqual({ model: id, chain, code: known?.code });
}

const bytesOf = ({ files }: WrittenModel) =>
  new Map([...files].map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]));

/** A model to be carried into another format and back. */
export interface Conversion {
  readonly fixture: ModelFixture;
  readonly from: Subject;
  readonly to: Subject;
}

/** Every fixture model into every other format. */
export const conversions: readonly Conversion[] = subjects.flatMap((from) =>
  from.models.flatMap((fixture) =>
    writers.flatMap(([, to]) => (to === from ? [] : [{ fixture, from, to }])),
  ),
);

/** What a conversion reports, or the findings that it fails with. */
async function toldBy(running: Promise<{ readonly report: ConversionReport }>) {
  try {
    return (await running).report;
  } catch (error) {
    if (error instanceof DroverError) return error.diagnostics;
    throw error;
  }
}

/**
 * Declares the tests of conversions: there and back, each result in its runtime against what the
 * framework computed, each conversion twice with equal bytes, and what a dry run tells of it.
 */
export function describeConversions(
  cases: readonly Conversion[],
  running: Running = new Map(),
): void {
  describe.each(cases.map((each) => [each.fixture.id, each.to.id, each] as const))(
    '%s to %s',
    (id, _, conversion) => {
      const { fixture, from, to } = conversion;
      let there: Promise<WrittenModel & { readonly report: ConversionReport }>;
      /** What is refused has no second part: the first test tells. */
      let isWritten: Promise<boolean>;
      const convertThere = async () => {
        const opened = await openFixture(fixture);
        try {
          return await convertInMemory(from.format, to.format, opened.source, opened.params);
        } finally {
          opened.close();
        }
      };
      const declared = async () => {
        const opened = await openFixture(fixture);
        try {
          return declaredBy(await openModel(opened.source, from.format, { params: opened.params }));
        } finally {
          opened.close();
        }
      };
      beforeAll(() => {
        there = convertThere();
        isWritten = there.then(
          () => true,
          () => false,
        );
      });

      it('computes what the framework computed', () =>
        expectAsKnown(id, to.id, async () => {
          expect(
            await worstDistance(
              runtimeOf(to, running),
              await there,
              await fixture.goldens(),
              await declared(),
            ),
          ).toBeLessThan(limitOf(fixture));
        }));

      it('is written with the same bytes again', () =>
        expectAsKnown(id, `${to.id} again`, async () => {
          if (!(await isWritten)) return;
          expect(bytesOf(await convertThere())).toEqual(bytesOf(await there));
        }));

      it('comes back and still computes it', () =>
        expectAsKnown(id, `${to.id}+${from.id}`, async () => {
          if (!(await isWritten)) return;
          const back = await convertInMemory(to.format, from.format, (await there).source);
          expect(
            await worstDistance(
              runtimeOf(from, running),
              back,
              await fixture.goldens(),
              await declared(),
            ),
          ).toBeLessThan(limitOf(fixture));
        }));

      it('a dry run tells the same and writes nothing', async () => {
        const sink = new MemorySink();
        const dryRun = async () => {
          const opened = await openFixture(fixture);
          const { source, params } = opened;
          const plan = { from: from.format, to: to.format, source, params, sink, dryRun: true };
          return { report: await convert(plan).finally(opened.close) };
        };
        const told = await toldBy(there);
        expect(await toldBy(dryRun())).toEqual(told);
        expect(sink.files.size).toBe(0);
        const findings = 'diagnostics' in told ? told.diagnostics : told;
        const unknown = findings.filter(({ code }) => !isCatalogued(code, from.format, to.format));
        expect(unknown).toEqual([]);
      });
    },
  );
}

/** A model to be carried through the representation into its own format. */
export interface Rewriting {
  readonly fixture: ModelFixture;
  readonly subject: Subject;
}

/** Every fixture model of a format that is written. */
export const rewritings: readonly Rewriting[] = writers.flatMap(([, subject]) =>
  subject.models.map((fixture) => ({ fixture, subject })),
);

/** Declares the tests of models through the representation and back into the same format. */
export function describeRewritings(
  cases: readonly Rewriting[],
  running: Running = new Map(),
): void {
  it.each(cases.map((each) => [each.fixture.id, each] as const))(
    '%s through the representation',
    (name, { fixture, subject }) =>
      expectAsKnown(name, subject.id, async () => {
        const { format } = subject;
        const opened = await openFixture(fixture);
        try {
          const report = new Report();
          const model = await openModel(opened.source, format, { report, params: opened.params });
          const sink = new MemorySink();
          await writeModel(model, { to: format, sink, report });
          const written = {
            format,
            files: sink.files,
            source: memorySource(format.fileNames.usual, sink.files),
          };
          expect(
            await worstDistance(
              runtimeOf(subject, running),
              written,
              await fixture.goldens(),
              declaredBy(model),
            ),
          ).toBeLessThan(limitOf(fixture));
        } finally {
          opened.close();
        }
      }),
  );
}

/** Into how many files of tests the models are dealt out, so that they run side by side. */
export const shards = 5;

/** The part of a list that one of those files has; they count from 1. */
export const dealt = <T>(cases: readonly T[], shard: number): readonly T[] =>
  cases.filter((_, i) => i % shards === shard - 1);

/** Declares the tests of models that one of the files has. */
export function describeShard(shard: number): void {
  describeConversions(dealt(conversions, shard));
  describeRewritings(dealt(rewritings, shard));
}
