import {
  castTensor,
  memorySource,
  MemorySink,
  toNumbers,
  type Model,
  openModel,
  writeModel,
} from '@drover/core';
import { onnx } from '@drover/onnx';
import { decodeModel, encodeModel, type ModelProto } from '@drover/onnx/codec';
import { tfjs as runtimeOf } from '@drover/runtimes/tfjs';
import { tfjs } from '@drover/tfjs';
import { decodeVector, vectorFamilies, type VectorCase } from './op-vectors.js';

type OnnxCase = VectorCase<{ readonly onnx: string }>;

/** Cases that are refused, and the reason. An entry that no longer fails fails the test. */
const refused: Readonly<Record<string, string>> = {
  'BitShift/left': 'TensorFlow.js has no operators on bits',
  'Constant/int_large': 'which is no int32',
  'Constant/ints_large': 'which is no int32',
  'Conv/same_lower': 'the size of its filters is not known',
  'Conv/same_upper': 'the size of its filters is not known',
  'Conv/valid': 'the size of its filters is not known',
  'ScatterND/max': 'TensorFlow.js scatters updates and sums, not by max',
};

/** Beside those, where no size of an operand is stated. */
const refusedOpen: Readonly<Record<string, string>> = {
  ...refused,
  'Conv/groups': 'the size of its filters is not known',
  'Conv/one_dimension': 'the size of its filters is not known',
  'Conv/plain': 'the size of its filters is not known',
  'Conv/three_dimensions': 'the size of its filters is not known',
  'ConvTranspose/bias_1d': 'the size of its filters is not known',
  'ConvTranspose/dilations': 'the size of its filters is not known',
  'ConvTranspose/groups': 'the size of its filters is not known',
  'ConvTranspose/output_padding': 'the size of its filters is not known',
  'ConvTranspose/plain': 'the size of its filters is not known',
  'ConvTranspose/strides_pads': 'the size of its filters is not known',
  'GatherND/batch': 'how many coordinates its indices have is not known',
  'GatherND/partial': 'how many coordinates its indices have is not known',
  'Pad/wrap': 'it may wrap round more than once',
  'Resize/linear_antialias': 'its filter is as wide as sizes say that are not known',
  'ScatterND/max': 'how many coordinates its indices have is not known',
  'ScatterND/negative': 'how many coordinates its indices have is not known',
  'ScatterND/rows': 'how many coordinates its indices have is not known',
};

/** Cases whose elements no tensor of TensorFlow.js holds, which is told when they are written. */
const narrowed = new Set(['Cast/float16', 'Sub/int64_large']);

/**
 * Cases that need the sizes of their operands: which dimensions are 1, which there are to copy; and
 * a named one is at least 1.
 */
const stated = new Set([
  'ReduceLogSumExp/of_nothing',
  'ReduceMax/of_nothing',
  'Reshape/zero_fed',
  'Squeeze/all',
]);

const runtime = runtimeOf();
const sourceOf = (name: string, bytes: Uint8Array) => memorySource(name, new Map([[name, bytes]]));

/** The model of a case with a name for every size of its inputs.*/
async function opened(bytes: Uint8Array): Promise<Uint8Array> {
  const proto: ModelProto = await decodeModel(sourceOf('model.onnx', bytes));
  for (const { name, type } of proto.graph?.input ?? []) {
    const shape = type?.tensorType?.shape;
    const dims = shape?.dim ?? [];
    const named = (axis: number) => ({ dimParam: `${name!.replace(/\W/g, '')}_${axis}` });
    if (shape)
      shape.dim = dims.map((dim, axis) => (axis !== 1 || dims.length < 3 ? named(axis) : dim));
  }
  const sink = new MemorySink();
  await encodeModel(proto, await sink.create('model.onnx'));
  await sink.commit();
  return sink.files.get('model.onnx')!;
}

async function write(model: Model): Promise<ReadonlyMap<string, Uint8Array>> {
  const sink = new MemorySink();
  await writeModel(model, { to: tfjs, sink });
  return sink.files;
}

const legal = (name: string) => name.replace(/\W/g, '_');

async function check(
  each: OnnxCase,
  bytes: Uint8Array,
  gaps: Readonly<Record<string, string>>,
): Promise<void> {
  const model = await openModel(sourceOf('model.onnx', bytes), onnx);
  // Which cases have no canonical form is held by the test of ONNX's vectors.
  if ([...model.graph.nodes].some(({ op }) => op.name === 'Foreign')) return;
  const gap = gaps[each.name];
  if (gap !== undefined) return expect(write(model)).rejects.toThrow(gap);
  const loaded = await runtime.load({ source: memorySource('model.json', await write(model)) });
  try {
    const given = new Map(each.inputs.map((input) => [legal(input.name), decodeVector(input)]));
    const feeds = loaded.inputs.map(
      ({ name, dtype }) => [name, castTensor(given.get(legal(name))!, dtype ?? 'float32')] as const,
    );
    const made = [...(await loaded.run(new Map(feeds))).values()];
    each.outputs.forEach((output, i) => {
      const wanted = decodeVector(output);
      expect(made[i]!.shape).toEqual(wanted.shape);
      if (wanted.dtype === 'string' || narrowed.has(each.name)) return;
      const [a, b] = [toNumbers(made[i]!), toNumbers(wanted)];
      const largest = b.reduce(
        (most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most),
        1e-3,
      );
      const share =
        wanted.dtype === 'float16' || wanted.dtype === 'bfloat16'
          ? 5e-3
          : wanted.dtype.startsWith('float')
            ? 3e-5
            : 0;
      const isUndefined = (k: number) =>
        (each.undefined?.[output.name] ?? []).some(([begin, end]) => k >= begin && k < end);
      const wrong = [...b.keys()].filter(
        (k) =>
          !Object.is(a[k], b[k]) &&
          !(Math.abs(a[k]! - b[k]!) <= share * largest) &&
          !isUndefined(k),
      );
      expect(wrong.map((k) => `${output.name}[${k}] is ${a[k]}, not ${b[k]}`)).toEqual([]);
    });
  } finally {
    await loaded.dispose();
  }
}

const bytesOf = ({ model }: OnnxCase) => new Uint8Array(Buffer.from(model.onnx, 'base64'));

describe.each(vectorFamilies<{ readonly onnx: string }>('onnx'))('%s', (_, cases) => {
  const named = cases.map((each) => [each.name, each] as const);
  it.each(named)('%s: TensorFlow.js gives what ONNX stored', (_, each) =>
    check(each, bytesOf(each), refused),
  );

  // What has no meaning where sizes are not stated; constants have no operands.
  const open = named.filter(([name, { inputs }]) => inputs.length > 0 && !stated.has(name));
  it.each(open)('%s: and where the sizes of operands are not stated', async (_, each) =>
    check(each, await opened(bytesOf(each)), refusedOpen),
  );
});

test('every exception is a case', () => {
  const names = new Set(
    vectorFamilies('onnx').flatMap(([, cases]) => cases.map(({ name }) => name)),
  );
  for (const name of [...Object.keys(refusedOpen), ...narrowed, ...stated])
    expect(names).toContain(name);
});
