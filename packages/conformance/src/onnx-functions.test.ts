import {
  convert,
  MemorySink,
  memorySource,
  printGraph,
  Report,
  tensor,
  toNumbers,
  type OpenedModel,
  type Runtime,
  type Tensor,
  openModel,
} from '@drover/core';
import { onnx } from '@drover/onnx';
import { AttributeType, type FunctionProto, type ModelProto } from '@drover/onnx/codec';
import { onnxruntime } from '@drover/runtimes/onnxruntime';
import { reference } from '@drover/runtimes/reference';
import { tfjs as tfjsRuntime } from '@drover/runtimes/tfjs';
import { tfjs } from '@drover/tfjs';
import { info, initializer, modelOf, node, sourceOfModel } from './small-model.js';

const domains = [
  { domain: '', version: 17 },
  { domain: 'my', version: 1 },
];

/**
 * LeakyRelu of the rows of `a`, flattened by a shape that is computed, added to `b` where the
 * caller gives it.
 */
const rows: FunctionProto = {
  name: 'rows',
  domain: 'my',
  input: ['a', 'b'],
  output: ['y', 'a2'],
  attribute: ['alpha'],
  opsetImport: domains,
  node: [
    node('Constant', [], ['zero'], { value_ints: [0] }),
    node('Constant', [], ['minus'], { value_ints: [-1] }),
    node('Shape', ['a'], ['shape']),
    node('Gather', ['shape', 'zero'], ['first']),
    node('Concat', ['first', 'minus'], ['flat'], { axis: 0 }),
    node('Reshape', ['a', 'flat'], ['r']),
    {
      ...node('LeakyRelu', ['r'], ['l']),
      attribute: [{ name: 'alpha', type: AttributeType.FLOAT, refAttrName: 'alpha' }],
    },
    node('Add', ['l', 'b'], ['y']),
    node('Identity', ['a'], ['a2']),
  ],
};

/** Calls the other function, in a branch too. */
const outer: FunctionProto = {
  name: 'outer',
  domain: 'my',
  input: ['a', 'b', 'c'],
  output: ['y'],
  opsetImport: domains,
  node: [
    node('my:rows', ['a', 'b'], ['first', ''], { alpha: { f: 0.5 } }),
    node('If', ['c'], ['y'], {
      then_branch: {
        g: {
          name: 'then',
          node: [node('my:rows', ['first', 'b'], ['t', 'same'], { alpha: { f: 0.25 } })],
          output: [{ name: 't' }],
        },
      },
      else_branch: {
        g: { name: 'else', node: [node('Neg', ['first'], ['e'])], output: [{ name: 'e' }] },
      },
    }),
  ],
};

const model = (): ModelProto => ({
  ...modelOf({
    input: [info('x', 'float32', ['n', 2, 3]), info('go', 'bool', [])],
    initializer: [initializer('bias', tensor('float32', [6], [1, 2, 3, 4, 5, 6]))],
    node: [
      node('my:outer', ['x', 'bias', 'go'], ['h']),
      node('my:rows', ['h', 'bias'], ['y', 'passed'], { alpha: { f: 2 } }),
      node('Abs', ['passed'], ['z']),
    ],
    output: [info('y', 'float32', ['n', 6]), info('z', 'float32', ['n', 6])],
  }),
  opsetImport: domains,
  functions: [rows, outer],
});

const inputs = (go: boolean): ReadonlyMap<string, Tensor> =>
  new Map([
    ['x', tensor('float32', [2, 2, 3], [-3, 5, -7, 2, -9, 4, 8, -6, 1, -2, 7, -5])],
    ['go', tensor('bool', [], [go])],
  ]);

async function run(
  runtime: Runtime,
  model: OpenedModel,
  go: boolean,
): Promise<readonly (readonly number[])[]> {
  const loaded = await runtime.load(model);
  try {
    const outputs = await loaded.run(inputs(go));
    return ['y', 'z'].map((name) => Array.from(toNumbers(outputs.get(name)!)));
  } finally {
    await loaded.dispose();
  }
}

test('functions are calls in the graph, with the types and attributes of each', async () => {
  const report = new Report();
  const { graph } = await openModel(await sourceOfModel(model()), onnx, { report });
  expect(report.diagnostics).toEqual([]);
  const text = printGraph(graph);
  expect(text.match(/Call\(.*\) {"function":"my\.\w+"}/g)).toEqual([
    'Call(x, go) {"function":"my.outer"}',
    'Call(x) {"function":"my.rows"}',
    'Call(first) {"function":"my.rows"}',
    'Call(h) {"function":"my.rows"}',
  ]);
  expect(text).toContain('h: float32[n, 6] = Call(');
});

describe.each([true, false])(
  'a model with functions computes the same, the condition being %s',
  (go) => {
    test('in the reference, written for ONNX and for TF.js', async () => {
      const source = await sourceOfModel(model());
      const ort = onnxruntime({ threads: 1 });
      const expected = await run(ort, { format: onnx, source }, go);
      expect(new Set(expected.flat()).size).toBeGreaterThan(6);
      expect(await run(reference(), { format: onnx, source }, go)).toEqual(expected);
      const plain = new MemorySink();
      await convert({ from: onnx, to: onnx, source, sink: plain, options: { opset: 18 } });
      const again = { format: onnx, source: memorySource('model.onnx', plain.files) };
      expect(await run(ort, again, go)).toEqual(expected);
      const web = new MemorySink();
      await convert({ from: onnx, to: tfjs, source, sink: web });
      const written = { format: tfjs, source: memorySource('model.json', web.files) };
      expect(await run(tfjsRuntime(), written, go)).toEqual(expected);
    });
  },
);
