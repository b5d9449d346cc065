import {
  DroverError,
  MemorySink,
  memorySource,
  Report,
  type Format,
  openModel,
  writeModel,
  type Runtime,
} from '@drover/core';
import { mxnet } from '@drover/mxnet';
import { onnx } from '@drover/onnx';
import { onnxruntime } from '@drover/runtimes/onnxruntime';
import { reference } from '@drover/runtimes/reference';
import { tfjs as tfjsRuntime } from '@drover/runtimes/tfjs';
import { tfjs } from '@drover/tfjs';
import {
  convertInMemory,
  declaredBy,
  openFixture,
  worstDistance,
  type WrittenModel,
} from './conversion-chain.js';
import { knownFailures } from './known-failures.js';
import { modelFixtures, type FormatId, type ModelFixture } from './model-fixture.js';

/** The formats under test. */
export const formats: Readonly<Record<FormatId, Format>> = { onnx, tfjs, mxnet };

/**
 * What runs each format here. MXNet itself needs Python: what is written for it is read back, and
 * `npm run test:live` runs it in the real one.
 */
export const runtimes: Readonly<Record<FormatId, Runtime>> = {
  onnx: onnxruntime({ threads: 1 }),
  tfjs: tfjsRuntime(),
  mxnet: reference(),
};

/** TF.js on WebAssembly, for a model that takes its plain kernels a minute. */
const wasm = tfjsRuntime({
  backend: 'wasm',
  wasmFolder: new URL('../../../node_modules/@tensorflow/tfjs-backend-wasm/dist/', import.meta.url)
    .pathname,
});

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

/** The runtime of a format for a model. */
function runtimeOf(
  { id }: ModelFixture,
  format: FormatId,
  running: Readonly<Record<FormatId, Runtime>>,
): Runtime {
  return format === 'tfjs' && large.id.test(id) ? wasm : running[format]!;
}

const limitOf = ({ id }: ModelFixture) => (large.id.test(id) ? large.maxDistance : maxDistance);

/** Fails unless a check passes, or fails in the way that the list of known failures says. */
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
  if (known === undefined && error !== undefined) throw error;
  // A known failure that passes has to leave the list.
  expect({ model: id, chain, code }).toEqual({ model: id, chain, code: known?.code });
}

const bytesOf = ({ files }: WrittenModel) =>
  new Map([...files].map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]));

/**
 * Declares the tests of every fixture model of a format: to each of the targets and back, each
 * result in its runtime against what the framework computed, and each conversion twice with equal
 * bytes.
 */
export function describeModels(
  from: FormatId,
  targets: readonly FormatId[],
  running: Readonly<Record<FormatId, Runtime>> = runtimes,
): void {
  const cases = modelFixtures(from).flatMap((fixture) =>
    targets.map((to) => [fixture.id, to, fixture] as const),
  );
  it('has models', () => expect(cases.length).toBeGreaterThan(0));

  describe.each(cases)('%s to %s', (id, to, fixture: ModelFixture) => {
    let there: Promise<WrittenModel>;
    /** What is refused has no second part: the first test tells. */
    let isWritten: Promise<boolean>;
    const source = formats[from]!;
    const target = formats[to]!;
    const convertThere = async () => {
      const opened = await openFixture(fixture);
      try {
        return await convertInMemory(source, target, opened.source, opened.params);
      } finally {
        opened.close();
      }
    };
    const declared = async () => {
      const opened = await openFixture(fixture);
      try {
        return declaredBy(await openModel(opened.source, source, { params: opened.params }));
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
      expectAsKnown(id, to, async () => {
        expect(
          await worstDistance(
            runtimeOf(fixture, to, running),
            await there,
            await fixture.goldens(),
            await declared(),
          ),
        ).toBeLessThan(limitOf(fixture));
      }));

    it('is written with the same bytes again', () =>
      expectAsKnown(id, `${to} again`, async () => {
        if (!(await isWritten)) return;
        expect(bytesOf(await convertThere())).toEqual(bytesOf(await there));
      }));

    it('comes back and still computes it', () =>
      expectAsKnown(id, `${to}+${from}`, async () => {
        if (!(await isWritten)) return;
        const back = await convertInMemory(target, source, (await there).source);
        expect(
          await worstDistance(
            runtimeOf(fixture, from, running),
            back,
            await fixture.goldens(),
            await declared(),
          ),
        ).toBeLessThan(limitOf(fixture));
      }));
  });
}

/**
 * Declares the tests of every fixture model of a format through the representation and back into
 * the same format.
 */
export function describeOwnFormat(
  id: FormatId,
  running: Readonly<Record<FormatId, Runtime>> = runtimes,
): void {
  const format = formats[id]!;
  it.each(modelFixtures(id).map((fixture) => [fixture.id, fixture] as const))(
    '%s through the representation',
    (name, fixture) =>
      expectAsKnown(name, id, async () => {
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
              runtimeOf(fixture, id, running),
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
