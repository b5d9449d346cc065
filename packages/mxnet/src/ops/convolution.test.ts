import {
  evaluate,
  Graph,
  memorySource,
  MemorySink,
  ops,
  tensor,
  Weight,
  openModel,
  writeModel,
  Model,
} from '@drover/core';
import { decodeParams } from '../codec/decode-params.js';
import { readSymbol } from '../codec/decode-symbol.js';
import { mxnet } from '../format.js';

/**
 * A convolution over one channel with `filters` filters of `taps` taps 1, 2, 3, …, where filter i
 * counts i times; its operator, and its results after reading.
 */
async function carried(filters: number, taps: number, stride: number) {
  const graph = new Graph();
  const x = graph.input('x', 'float32', [1, 1, taps + stride]);
  const numbers = Array.from(
    { length: filters * taps },
    (_, i) => (Math.floor(i / taps) + 1) * ((i % taps) + 1),
  );
  const w = graph.constant(
    Weight.from(tensor('float32', [filters, 1, taps], numbers), 'kernel'),
    'w',
  );
  const bias = graph.constant(
    Weight.from(tensor('float32', [filters], new Array<number>(filters).fill(0.5)), 'bias'),
    'bias',
  );
  const window = {
    layout: 'channelsFirst',
    strides: [stride],
    dilations: [1],
    padding: 'explicit',
    pads: [0, 0],
    groups: 1,
  } as const;
  graph.output('y', graph.add(ops.Conv, { x, w, bias }, window, { name: 'y' }).y);
  const sink = new MemorySink();
  const model = new Model(graph, { file: 'm.onnx' });
  const report = await writeModel(model, { to: mxnet, sink, path: 'm-symbol.json' });
  const tensors = report.tensors.map(({ source }) => source);
  const source = memorySource('m-symbol.json', sink.files);
  const operators = (await readSymbol(source)).graph.nodes.flatMap(({ op, attrs }) =>
    op === null ? [] : [[op, attrs.get('num_filter')]],
  );
  const { records } = await decodeParams(memorySource('m-0000.params', sink.files));
  const again = await openModel(source, mxnet);
  const [[, y] = []] = await evaluate(again.graph, [
    tensor('float32', [1, 1, taps + stride], new Array<number>(taps + stride).fill(1)),
  ]);
  return { operators, shapes: records.map(({ shape }) => shape), tensors, y };
}

describe('convolutions over one channel', () => {
  it('with many taps get filters of zeros up to a multiple of eight, which oneDNN vectorises', async () => {
    const { operators, shapes, tensors, y } = await carried(3, 64, 1);
    expect(operators).toEqual([
      ['Convolution', '8'],
      ['slice_axis', undefined],
    ]);
    expect(shapes).toEqual([[8, 1, 64], [8]]);
    expect(tensors).toEqual(['kernel', 'bias']);
    // 1 + 2 + … + 64 = 2080, for each filter that many times.
    expect(y!.shape).toEqual([1, 3, 2]);
    expect(Array.from(y!.data, Number)).toEqual([2080.5, 2080.5, 4160.5, 4160.5, 6240.5, 6240.5]);
  });

  it.each([
    ['with few taps', 3, 9, 1],
    ['that hardly overlap', 1, 64, 16],
    ['with a multiple of eight filters', 16, 256, 1],
  ])('%s are written as they are', async (_, filters, taps, stride) => {
    const { operators, shapes } = await carried(filters, taps, stride);
    expect(operators).toEqual([['Convolution', String(filters)]]);
    expect(shapes).toEqual([[filters, 1, taps], [filters]]);
  });
});
