import {
  MemorySink,
  memorySource,
  Report,
  tensor,
  toNumbers,
  type DType,
  type Runtime,
  type Source,
  type Tensor,
  openModel,
  writeModel,
} from '@drover/core';
import { onnx } from '@drover/onnx';
import type { NodeProto } from '@drover/onnx/codec';
import { Xoshiro128 } from '@drover/parity';
import { onnxruntime } from '@drover/runtimes/onnxruntime';
import { reference } from '@drover/runtimes/reference';
import { info, initializer, modelOf, node, sourceOfModel } from './small-model.js';

const random = Xoshiro128.seeded(20261121);
const normal = (shape: readonly number[], scale = 1) =>
  tensor(
    'float32',
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () =>
      Math.fround(scale * random.normal()),
    ),
  );
const whole = (dtype: DType, shape: readonly number[], low: number, high: number) =>
  tensor(
    dtype,
    shape,
    Array.from(
      { length: shape.reduce((a, b) => a * b, 1) },
      () => low + random.integer(high - low),
    ),
  );

interface Case {
  readonly name: string;
  readonly nodes: readonly NodeProto[];
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly constants?: Readonly<Record<string, Tensor>>;
  /** Outputs and their element types. */
  readonly outputs: Readonly<Record<string, DType>>;
  readonly opset?: number;
}

const ms = (type: string, input: readonly string[], output: readonly string[], attributes = {}) =>
  node(`com.microsoft:${type}`, input, output, attributes);
const [batch, words, heads, width] = [2, 5, 3, 4];
const hidden = heads * width;

const cases: readonly Case[] = [
  {
    name: 'BatchNormalization that learns, before version 14',
    nodes: [
      node('BatchNormalization', ['x', 's', 'b', 'm', 'v'], ['y', 'm2', 'v2', 'sm', 'sv'], {
        momentum: { f: 0.75 },
        epsilon: { f: 0.01 },
      }),
    ],
    inputs: { x: normal([2, 3, 4]) },
    constants: {
      s: normal([3]),
      b: normal([3]),
      m: normal([3]),
      v: tensor('float32', [3], [1, 2, 3]),
    },
    outputs: { y: 'float32', m2: 'float32', v2: 'float32', sm: 'float32', sv: 'float32' },
    opset: 13,
  },
  {
    name: 'Gelu',
    nodes: [ms('Gelu', ['x'], ['y'])],
    inputs: { x: normal([3, 5]) },
    outputs: { y: 'float32' },
  },
  {
    name: 'QuickGelu',
    nodes: [ms('QuickGelu', ['x'], ['y'], { alpha: { f: 1.5 } })],
    inputs: { x: normal([3, 5]) },
    outputs: { y: 'float32' },
  },
  {
    name: 'FastGelu with bias',
    nodes: [ms('FastGelu', ['x', 'b'], ['y'])],
    inputs: { x: normal([2, 3, 5]) },
    constants: { b: normal([5]) },
    outputs: { y: 'float32' },
  },
  {
    name: 'BiasGelu',
    nodes: [ms('BiasGelu', ['x', 'b'], ['y'])],
    inputs: { x: normal([2, 3, 5]) },
    constants: { b: normal([5]) },
    outputs: { y: 'float32' },
  },
  {
    name: 'FusedMatMul',
    nodes: [ms('FusedMatMul', ['a', 'b'], ['y'], { transA: 1, transB: 1, alpha: { f: 0.25 } })],
    inputs: { a: normal([2, 7, 3]), b: normal([2, 5, 7]) },
    outputs: { y: 'float32' },
  },
  {
    name: 'SkipLayerNormalization',
    nodes: [
      ms('SkipLayerNormalization', ['x', 's', 'g', 'b', 'c'], ['y', '', '', 'sum'], {
        epsilon: { f: 1e-5 },
      }),
    ],
    inputs: { x: normal([2, 3, 5]), s: normal([2, 3, 5]) },
    constants: { g: normal([5]), b: normal([5]), c: normal([5]) },
    outputs: { y: 'float32', sum: 'float32' },
  },
  {
    name: 'SimplifiedLayerNormalization',
    nodes: [
      node('SimplifiedLayerNormalization', ['x', 'g'], ['y'], { axis: -1, epsilon: { f: 1e-5 } }),
    ],
    inputs: { x: normal([2, 3, 5]) },
    constants: { g: normal([5]) },
    outputs: { y: 'float32' },
  },
  {
    name: 'SkipSimplifiedLayerNormalization',
    nodes: [
      ms('SkipSimplifiedLayerNormalization', ['x', 's', 'g'], ['y', '', '', 'sum'], {
        epsilon: { f: 1e-5 },
      }),
    ],
    inputs: { x: normal([2, 3, 5]), s: normal([2, 3, 5]) },
    constants: { g: normal([5]) },
    outputs: { y: 'float32', sum: 'float32' },
  },
  {
    name: 'EmbedLayerNormalization',
    nodes: [
      ms(
        'EmbedLayerNormalization',
        ['ids', 'segments', 'w', 'p', 's', 'g', 'b', 'mask'],
        ['y', 'counts'],
        {
          epsilon: { f: 1e-12 },
          mask_index_type: 1,
        },
      ),
    ],
    inputs: {
      ids: whole('int32', [batch, words], 0, 11),
      segments: whole('int32', [batch, words], 0, 2),
      mask: tensor('int32', [batch, words], [1, 1, 1, 0, 0, 1, 1, 1, 1, 1]),
    },
    constants: {
      w: normal([11, 8]),
      p: normal([7, 8]),
      s: normal([2, 8]),
      g: normal([8]),
      b: normal([8]),
    },
    outputs: { y: 'float32', counts: 'int32' },
  },
  ...(
    [
      ['no mask', undefined],
      ['lengths', tensor('int32', [batch], [3, 5])],
      ['a mask of words', tensor('int32', [batch, words], [1, 1, 1, 0, 0, 1, 0, 1, 1, 1])],
    ] as const
  ).map(([how, mask]): Case => ({
    name: `Attention with ${how}`,
    nodes: [
      ms('Attention', ['x', 'w', 'b', ...(mask ? ['mask'] : [])], ['y'], { num_heads: heads }),
    ],
    inputs: { x: normal([batch, words, 7]), ...(mask && { mask }) },
    constants: { w: normal([7, 3 * hidden], 0.3), b: normal([3 * hidden]) },
    outputs: { y: 'float32' },
  })),
  {
    name: 'Attention to earlier words',
    nodes: [ms('Attention', ['x', 'w', 'b'], ['y'], { num_heads: heads, unidirectional: 1 })],
    inputs: { x: normal([batch, words, 7]) },
    constants: { w: normal([7, 3 * hidden], 0.3), b: normal([3 * hidden]) },
    outputs: { y: 'float32' },
  },
  {
    name: 'MultiHeadAttention with bias and a mask of words',
    nodes: [ms('MultiHeadAttention', ['q', 'k', 'v', 'b', 'mask'], ['y'], { num_heads: heads })],
    inputs: {
      q: normal([batch, words, hidden]),
      k: normal([batch, 7, hidden]),
      v: normal([batch, 7, hidden]),
      mask: tensor('int32', [batch, 7], [1, 1, 0, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 0]),
    },
    constants: { b: normal([3 * hidden]) },
    outputs: { y: 'float32' },
  },
  ...[0, 1].map((interleaved): Case => ({
    name: `RotaryEmbedding, interleaved ${interleaved}`,
    nodes: [ms('RotaryEmbedding', ['x', 'places', 'cos', 'sin'], ['y'], { interleaved })],
    inputs: { x: normal([batch, words, hidden]), places: whole('int64', [batch, words], 0, 9) },
    constants: { cos: normal([9, width / 2]), sin: normal([9, width / 2]) },
    outputs: { y: 'float32' },
  })),
  {
    name: 'RotaryEmbedding from a position on',
    nodes: [ms('RotaryEmbedding', ['x', 'first', 'cos', 'sin'], ['y'])],
    inputs: { x: normal([batch, heads, words, width]), first: tensor('int64', [1], [3]) },
    constants: { cos: normal([9, width / 2]), sin: normal([9, width / 2]) },
    outputs: { y: 'float32' },
  },
  {
    name: 'QLinearAdd',
    nodes: [ms('QLinearAdd', ['a', 's', 'z', 'b', 't', 'z', 'u', 'z'], ['y'])],
    inputs: { a: whole('uint8', [3, 5], 0, 256), b: whole('uint8', [3, 5], 0, 256) },
    constants: {
      s: tensor('float32', [], [0.03]),
      t: tensor('float32', [], [0.05]),
      u: tensor('float32', [], [0.0711]),
      z: tensor('uint8', [], [128]),
    },
    outputs: { y: 'uint8' },
  },
  {
    name: 'QLinearSigmoid',
    nodes: [ms('QLinearSigmoid', ['a', 's', 'z', 'u', 'o'], ['y'])],
    inputs: { a: whole('uint8', [3, 5], 0, 256) },
    constants: {
      s: tensor('float32', [], [0.03]),
      u: tensor('float32', [], [0.0039]),
      z: tensor('uint8', [], [128]),
      o: tensor('uint8', [], [0]),
    },
    outputs: { y: 'uint8' },
  },
  {
    name: 'QLinearConcat',
    nodes: [ms('QLinearConcat', ['u', 'z', 'a', 's', 'z', 'b', 't', 'z'], ['y'], { axis: 1 })],
    inputs: { a: whole('uint8', [3, 5], 0, 256), b: whole('uint8', [3, 2], 0, 256) },
    constants: {
      s: tensor('float32', [], [0.03]),
      t: tensor('float32', [], [0.05]),
      u: tensor('float32', [], [0.0511]),
      z: tensor('uint8', [], [128]),
    },
    outputs: { y: 'uint8' },
  },
  {
    name: 'QLinearGlobalAveragePool',
    nodes: [ms('QLinearGlobalAveragePool', ['a', 's', 'z', 'u', 'z'], ['y'], { channels_last: 0 })],
    inputs: { a: whole('uint8', [2, 3, 5, 7], 0, 256) },
    constants: {
      s: tensor('float32', [], [0.03]),
      u: tensor('float32', [], [0.0031]),
      z: tensor('uint8', [], [128]),
    },
    outputs: { y: 'uint8' },
  },
  {
    name: 'MatMulIntegerToFloat',
    nodes: [ms('MatMulIntegerToFloat', ['a', 'b', 's', 't', 'z', 'o', 'c'], ['y'])],
    inputs: { a: whole('uint8', [3, 7], 0, 256) },
    constants: {
      b: whole('uint8', [7, 5], 0, 256),
      s: tensor('float32', [], [0.03]),
      t: tensor('float32', [5], [0.01, 0.02, 0.03, 0.04, 0.05]),
      z: tensor('uint8', [], [100]),
      o: tensor('uint8', [], [130]),
      c: normal([5]),
    },
    outputs: { y: 'float32' },
  },
  {
    name: 'ConvInteger of many terms',
    nodes: [node('ConvInteger', ['x', 'w', 'z'], ['y'], { pads: [1, 1, 1, 1] })],
    inputs: { x: whole('uint8', [1, 37, 5, 7], 0, 256) },
    constants: { w: whole('uint8', [3, 37, 3, 3], 0, 256), z: tensor('uint8', [], [7]) },
    outputs: { y: 'int32' },
  },
  {
    name: 'HannWindow',
    nodes: [node('HannWindow', ['n'], ['y'])],
    inputs: {},
    constants: { n: tensor('int64', [], [13]) },
    outputs: { y: 'float32' },
  },
  {
    name: 'HammingWindow, symmetric',
    nodes: [node('HammingWindow', ['n'], ['y'], { periodic: 0 })],
    inputs: {},
    constants: { n: tensor('int64', [], [13]) },
    outputs: { y: 'float32' },
  },
  {
    name: 'BlackmanWindow',
    nodes: [node('BlackmanWindow', ['n'], ['y'])],
    inputs: {},
    constants: { n: tensor('int64', [], [13]) },
    outputs: { y: 'float32' },
  },
  {
    name: 'STFT',
    nodes: [node('STFT', ['x', 'step', 'window'], ['y'], { onesided: 1 })],
    inputs: { x: normal([2, 41, 1]) },
    constants: { step: tensor('int64', [], [5]), window: normal([16]) },
    outputs: { y: 'float32' },
  },
  {
    name: 'DFT, inverse of complex values',
    nodes: [node('DFT', ['x'], ['y'], { axis: 1, inverse: 1 })],
    inputs: { x: normal([3, 7, 2]) },
    outputs: { y: 'float32' },
  },
  {
    name: 'GlobalLpPool',
    nodes: [node('GlobalLpPool', ['x'], ['y'], { p: 3 })],
    inputs: { x: normal([2, 3, 5, 7]) },
    outputs: { y: 'float32' },
  },
  {
    name: 'sequences',
    nodes: [
      node('SplitToSequence', ['x'], ['parts'], { axis: 0, keepdims: 0 }),
      node('SequenceInsert', ['parts', 'extra', 'one'], ['more']),
      node('SequenceErase', ['more', 'zero'], ['fewer']),
      node('ConcatFromSequence', ['fewer'], ['y'], { axis: 1, new_axis: 1 }),
      node('SequenceLength', ['fewer'], ['n']),
    ],
    inputs: { x: normal([3, 5]), extra: normal([5]) },
    constants: { zero: tensor('int64', [], [0]), one: tensor('int64', [], [1]) },
    outputs: { y: 'float32', n: 'int64' },
  },
  {
    name: 'nested bodies with captures',
    nodes: [
      node('Loop', ['trips', '', 'x'], ['y', 'kept'], {
        body: {
          g: {
            name: 'body',
            input: [info('i', 'int64', []), info('go', 'bool', []), info('state', 'float32', [3])],
            node: [
              node('ReduceSum', ['state'], ['total'], { keepdims: 0 }),
              node('Less', ['total', 'limit'], ['small']),
              node('If', ['small'], ['next'], {
                then_branch: {
                  g: {
                    name: 'then',
                    node: [node('Add', ['state', 'extra'], ['grown'])],
                    output: [info('grown', 'float32', [3])],
                  },
                },
                else_branch: {
                  g: {
                    name: 'else',
                    node: [node('Mul', ['state', 'half'], ['shrunk'])],
                    output: [info('shrunk', 'float32', [3])],
                  },
                },
              }),
              node('Identity', ['go'], ['again']),
            ],
            output: [
              info('again', 'bool', []),
              info('next', 'float32', [3]),
              info('total', 'float32', []),
            ],
          },
        },
      }),
    ],
    inputs: { x: tensor('float32', [3], [1, 2, 3]), extra: tensor('float32', [3], [4, 5, 6]) },
    constants: {
      trips: tensor('int64', [], [6]),
      limit: tensor('float32', [], [20]),
      half: tensor('float32', [], [0.5]),
    },
    outputs: { y: 'float32', kept: 'float32' },
  },
];

const model = ({ nodes, inputs, constants = {}, outputs, opset }: Case) =>
  modelOf(
    {
      node: nodes,
      input: Object.entries(inputs).map(([name, { dtype, shape }]) => info(name, dtype, shape)),
      initializer: Object.entries(constants).map(([name, value]) => initializer(name, value)),
      output: Object.entries(outputs).map(([name, dtype]) => ({
        name,
        type: { tensorType: { elemType: info(name, dtype, []).type!.tensorType!.elemType } },
      })),
    },
    opset,
  );

async function run(runtime: Runtime, source: Source, inputs: Readonly<Record<string, Tensor>>) {
  const loaded = await runtime.load({ format: onnx, source });
  try {
    return await loaded.run(new Map(Object.entries(inputs)));
  } finally {
    await loaded.dispose();
  }
}

function expectClose(
  actual: ReadonlyMap<string, Tensor>,
  expected: ReadonlyMap<string, Tensor>,
  outputs: readonly string[],
): void {
  for (const name of outputs) {
    const [a, e] = [actual.get(name)!, expected.get(name)!];
    expect([name, a.dtype, a.shape]).toEqual([name, e.dtype, e.shape]);
    const values = toNumbers(e);
    const scale = values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    expect(scale).toBeGreaterThan(0);
    const worst = toNumbers(a).reduce((most, x, i) => Math.max(most, Math.abs(x - values[i]!)), 0);
    // Codes may be one apart where a rounding is a tie; other integers are exact.
    expect(worst).toBeLessThanOrEqual(
      e.dtype.startsWith('float') ? 4e-6 * scale : e.dtype === 'uint8' ? 1 : 0,
    );
  }
}

describe('operators in terms of core ones compute what onnxruntime computes', () => {
  it.each(cases.map((each) => [each.name, each] as const))('%s', async (_, each) => {
    const source = await sourceOfModel(model(each));
    const ort = onnxruntime({ threads: 1 });
    const expected = await run(ort, source, each.inputs);
    const outputs = Object.keys(each.outputs);
    expectClose(await run(reference(), source, each.inputs), expected, outputs);
    const report = new Report();
    const read = await openModel(source, onnx, { report });
    expect(report.diagnostics).toEqual([]);
    const sink = new MemorySink();
    await writeModel(read, { to: onnx, sink, path: 'm.onnx', report });
    expectClose(await run(ort, memorySource('m.onnx', sink.files), each.inputs), expected, outputs);
  });
});
