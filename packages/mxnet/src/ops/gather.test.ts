import {
  evaluate,
  memorySource,
  MemorySink,
  tensor,
  toNumbers,
  type Model,
  openModel,
  writeModel,
} from '@drover/core';
import { readSymbol } from '../codec/decode-symbol.js';
import { mxnet } from '../format.js';

/** A lookup in the rows of x, whose number the file does not tell. */
function symbolOf(mode: string): Uint8Array {
  const variable = (name: string, shape: string, dtype: number) => ({
    op: 'null',
    name,
    attrs: { __shape__: shape, __dtype__: String(dtype) },
    inputs: [],
  });
  const nodes = [
    variable('x', '(0, 2)', 0),
    variable('at', '(0,)', 6),
    {
      op: 'take',
      name: 'y',
      attrs: { axis: '0', mode },
      inputs: [
        [0, 0, 0],
        [1, 0, 0],
      ],
    },
  ];
  const json = {
    nodes,
    arg_nodes: [0, 1],
    heads: [[2, 0, 0]],
    attrs: { mxnet_version: ['int', 10901] },
  };
  return new TextEncoder().encode(JSON.stringify(json));
}

const read = (files: ReadonlyMap<string, Uint8Array>) =>
  openModel(memorySource('m-symbol.json', files), mxnet);

async function results({ graph }: Model): Promise<readonly number[]> {
  const given = [
    tensor('float32', [3, 2], [0, 1, 10, 11, 20, 21]),
    tensor('int64', [4], [-1n, 1n, 3n, -7n]),
  ];
  return [...(await evaluate(graph, given)).values()].flatMap((each) => [...toNumbers(each)]);
}

// Of three rows: -1, 1, 3 and -7 are 2, 1, 0 and 2 round and round, and 0, 1, 2 and 0 when they are
// clipped.
it.each([
  ['wrap', [20, 21, 10, 11, 0, 1, 20, 21]],
  ['clip', [0, 1, 10, 11, 20, 21, 0, 1]],
])(
  'a lookup along a dimension that is not known keeps its mode, there and back: %s',
  async (mode, expected) => {
    const model = await read(new Map([['m-symbol.json', symbolOf(mode)]]));
    expect(await results(model)).toEqual(expected);
    const sink = new MemorySink();
    await writeModel(model, { to: mxnet, sink, path: 'm-symbol.json' });
    const written = await readSymbol(memorySource('m-symbol.json', sink.files));
    expect(
      written.graph.nodes.flatMap(({ op, attrs }) =>
        op === null ? [] : [[op, attrs.get('mode')]],
      ),
    ).toEqual([['take', mode]]);
    expect(await results(await read(sink.files))).toEqual(expected);
  },
);
