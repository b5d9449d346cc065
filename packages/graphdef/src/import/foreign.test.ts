import { Report, type Graph } from '@drover/core';
import { JsonCursor, parseJson } from '@drover/core/format';
import { decodeGraphDef } from '../codec/json-graph.js';
import { importGraph } from './import-graph.js';

const type = (name: string) => ({ type: name });
const input = (name: string, dtype: string, dims: readonly number[]) => ({
  name,
  op: 'Placeholder',
  attr: {
    dtype: type(dtype),
    shape: { shape: { dim: dims.map((size) => ({ size: String(size) })) } },
  },
});

function read(nodes: readonly object[]): Graph {
  const root = new JsonCursor(
    parseJson(JSON.stringify({ node: nodes }), 'model.json'),
    'model.json',
  );
  const source = {
    name: 'main',
    graph: decodeGraphDef(root),
    signature: undefined,
    file: 'model.json',
    weightOf: () => undefined,
  };
  return importGraph(source, new Report());
}

const shown = (graph: Graph) =>
  [...graph.nodes].map(({ op, attrs, outputs }) => {
    const { type: name, reason } = attrs as { readonly type?: string; readonly reason?: string };
    return [op.name, name, reason, ...outputs.map(({ dtype }) => dtype)];
  });

describe('operators without a rule', () => {
  it('make what TensorFlow registers, so that operators behind them can be read', () => {
    const graph = read([
      input('x', 'DT_FLOAT', [4, 3]),
      input('places', 'DT_INT32', [4]),
      { name: 'order', op: 'InvertPermutation', input: ['places'], attr: { T: type('DT_INT32') } },
      {
        name: 'y',
        op: 'Gather',
        input: ['x', 'order'],
        attr: { Tparams: type('DT_FLOAT'), Tindices: type('DT_INT32') },
      },
    ]);
    expect(shown(graph)).toContainEqual([
      'Foreign',
      'InvertPermutation',
      'there is no rule for this operator',
      'int32',
    ]);
  });

  it('say that they compute with complex numbers', () => {
    const graph = read([
      input('x', 'DT_FLOAT', [4]),
      {
        name: 'c',
        op: 'Cast',
        input: ['x'],
        attr: { SrcT: type('DT_FLOAT'), DstT: type('DT_COMPLEX64') },
      },
      { name: 'y', op: 'Mul', input: ['c', 'c'], attr: { T: type('DT_COMPLEX64') } },
    ]);
    expect(shown(graph)).toEqual([
      ['Foreign', 'Cast', 'it computes with complex numbers', 'complex64'],
      ['Foreign', 'Mul', 'it computes with complex numbers', 'complex64'],
    ]);
  });
});
