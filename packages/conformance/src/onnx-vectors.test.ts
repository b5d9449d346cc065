import {
  ByteHandle,
  ConversionError,
  memorySource,
  MemorySink,
  Report,
  type Model,
  openModel,
  writeModel,
} from '@drover/core';
import { onnx } from '@drover/onnx';
import { decodeModel, encodeModel, tensorProto, type ModelProto } from '@drover/onnx/codec';
import { onnxruntime } from '@drover/runtimes/onnxruntime';
import {
  decodeVector,
  evaluateWithAllowance,
  mismatch,
  vectorFamilies,
  type VectorCase,
} from './op-vectors.js';

type OnnxCase = VectorCase<{ readonly onnx: string }>;

/**
 * Operands that core takes as attributes only: these cases are run with them as constants of the
 * model, which they are in practice.
 */
const madeConstant: Readonly<Record<string, readonly string[]>> = {
  'CumSum/exclusive_reverse': ['axis'],
  'CumSum/negative_axis': ['axis'],
  'DFT/onesided': ['axis', 'dft_length'],
  'Slice/dynamic': ['starts', 'ends', 'axes', 'steps'],
};

/**
 * Cases without a canonical form, and the reason that the reader gives. An entry that no longer
 * fails fails the test.
 */
const foreign: Readonly<Record<string, string>> = {
  'Det/plain': 'determinants have no canonical form',
  'MaxPool/indices': 'its indices are used',
  'MaxRoiPool/plain': 'it pools regions that depend on data',
  'Resize/not_larger': 'it keeps the aspect ratio by a policy',
  'NonMaxSuppression/limits_fed': 'its operand 3 (iou) depends on data',
  'RoiAlign/adaptive': 'it samples each region as densely as its size asks',
};

const runtime = onnxruntime({ threads: 1 });
const sourceOf = (bytes: Uint8Array) =>
  memorySource('model.onnx', new Map([['model.onnx', bytes]]));

async function bytesOf({ name, model, inputs }: OnnxCase): Promise<Uint8Array> {
  const bytes = new Uint8Array(Buffer.from(model.onnx, 'base64'));
  const constant = madeConstant[name];
  if (!constant) return bytes;
  const proto: ModelProto = await decodeModel(sourceOf(bytes));
  const kept = proto.graph!.input!.filter((each) => !constant.includes(each.name!));
  expect(kept.length).toBeLessThan(proto.graph!.input!.length);
  const initializer = inputs
    .filter((each) => constant.includes(each.name))
    .map(({ name, dtype, shape, data }) =>
      tensorProto(name, {
        dtype: dtype as 'int64',
        shape,
        data: ByteHandle.of(new Uint8Array(Buffer.from(data as string, 'base64'))),
      }),
    );
  const sink = new MemorySink();
  await encodeModel(
    {
      ...proto,
      graph: {
        ...proto.graph!,
        input: kept,
        initializer: [...(proto.graph!.initializer ?? []), ...initializer],
      },
    },
    await sink.create('m'),
  );
  await sink.commit();
  return sink.files.get('m')!;
}

/**
 * Cases for which what onnxruntime gave is off the exact sum by 4.7e-6, which is nine units in the
 * last place of the largest element; the reference is not.
 */
const lossy = new Set(['DFT/real_opset17', 'DFT/onesided']);

async function read(each: OnnxCase): Promise<{ model: Model; report: Report }> {
  const report = new Report();
  return { model: await openModel(sourceOf(await bytesOf(each)), onnx, { report }), report };
}

async function written(model: Model, opset?: number): Promise<Uint8Array> {
  const sink = new MemorySink();
  await writeModel(model, { to: onnx, sink, options: { opset } });
  return sink.files.get('model.onnx')!;
}

const named = ({ inputs, name }: OnnxCase) =>
  new Map(
    inputs
      .filter((each) => !madeConstant[name]?.includes(each.name))
      .map((each) => [each.name, decodeVector(each)]),
  );

async function run(bytes: Uint8Array, each: OnnxCase) {
  const loaded = await runtime.load({ source: sourceOf(bytes) });
  try {
    return await loaded.run(named(each));
  } finally {
    await loaded.dispose();
  }
}

/** The version that gaps at version 13 ask for. */
function neededOpset(error: unknown): number {
  expect(error).toBeInstanceOf(ConversionError);
  const versions = (error as ConversionError).diagnostics.map(({ message }) =>
    Number(/operator set (\d+)/.exec(message)?.[1]),
  );
  expect(versions.every((version) => version > 13 && version <= 21)).toBe(true);
  return Math.max(...versions);
}

describe.each(vectorFamilies<{ readonly onnx: string }>('onnx'))('%s', (_, cases) => {
  const expressible = cases.filter(({ name }) => !(name in foreign));

  it.each(expressible.map((each) => [each.name, each] as const))(
    '%s: the reference gives what was stored',
    async (_, each) => {
      const { model, report } = await read(each);
      expect(report.diagnostics).toEqual([]);
      const given = named(each);
      const { outputs, ulp, largest } = await evaluateWithAllowance(
        model.graph,
        model.graph.inputs.map(({ name }) => given.get(name)!),
      );
      for (const stored of each.outputs)
        expect(
          mismatch(outputs.get(stored.name), stored, ulp + (lossy.has(each.name) ? 16 : 1), {
            largest,
            ranges: each.undefined?.[stored.name] ?? [],
          }),
        ).toBeUndefined();
    },
  );

  it.each(expressible.map((each) => [each.name, each] as const))(
    '%s: written again, onnxruntime gives it too',
    async (_, each) => {
      const { model } = await read(each);
      const given = named(each);
      const { ulp, largest } = await evaluateWithAllowance(
        model.graph,
        model.graph.inputs.map(({ name }) => given.get(name)!),
      );
      const compare = async (opset: number | undefined) => {
        const outputs = await run(await written(model, opset), each);
        expect([...outputs.keys()]).toEqual(each.outputs.map(({ name }) => name));
        for (const stored of each.outputs)
          expect(
            mismatch(outputs.get(stored.name), stored, ulp + 8, {
              largest,
              ranges: each.undefined?.[stored.name] ?? [],
            }),
          ).toBeUndefined();
      };
      await compare(undefined);
      const oldest = await written(model, 13).then(() => 13, neededOpset);
      await compare(oldest);
    },
  );

  const without = cases.filter(({ name }) => name in foreign);
  if (without.length === 0) return;
  it.each(without.map((each) => [each.name, each] as const))(
    '%s: has no canonical form, and is carried over as it is',
    async (_, each) => {
      const { model } = await read(each);
      const reasons = [...model.graph.nodes].flatMap(({ op, attrs }) =>
        op.name === 'Foreign' ? [(attrs as unknown as { reason: string }).reason] : [],
      );
      expect(reasons).toEqual([foreign[each.name]]);
      const outputs = await run(await written(model), each);
      for (const stored of each.outputs)
        expect(
          mismatch(outputs.get(stored.name), stored, 8, {
            ranges: each.undefined?.[stored.name] ?? [],
          }),
        ).toBeUndefined();
    },
  );
});

test('every exception is a case', () => {
  const names = new Set(
    vectorFamilies('onnx').flatMap(([, cases]) => cases.map(({ name }) => name)),
  );
  for (const name of [...Object.keys(foreign), ...Object.keys(madeConstant)])
    expect(names).toContain(name);
});
