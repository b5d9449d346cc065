import { readFileSync } from 'node:fs';
import { DroverError } from '@drover/core';
import { JsonCursor, parseJson } from '@drover/core/format';
import { decodeSymbol, type DecodedSymbol, type SymbolLimits } from './decode-symbol.js';
import { encodeSymbol } from './encode-symbol.js';
import { inputName, isAuxiliary, outputCounts, outputSuffix } from './operator.js';

const folder = new URL('./testdata/', import.meta.url);
const text = (name: string): string => readFileSync(new URL(name, folder), 'utf8');
const decode = (json: string, limits?: SymbolLimits): DecodedSymbol =>
  decodeSymbol(new JsonCursor(parseJson(json, 'm-symbol.json'), 'm-symbol.json'), limits);

const failure = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof DroverError)
      return `${error.diagnostics[0]!.code} ${error.diagnostics[0]!.origin.pointer ?? ''}`.trim();
    throw error;
  }
  return 'none';
};

test.each([
  'outputs.json',
  'control-flow.json',
  'np-shape.json',
  'aux-0.8.json',
  'attr-0.9.3.json',
])('%s is written byte by byte as MXNet 1.9.1 wrote it', (name) => {
  expect(encodeSymbol(decode(text(name)).graph)).toBe(text(name));
});

test.each(['aux-0.8', 'attr-0.9.3'])('%s is upgraded to what MXNet 1.9.1 makes of it', (name) => {
  expect(encodeSymbol(decode(text(`${name}.old.json`)).graph)).toBe(text(`${name}.json`));
});

test('the version of the file is kept beside the upgraded graph', () => {
  expect(decode(text('aux-0.8.old.json')).sourceVersion).toBe(800);
  expect(decode(text('attr-0.9.3.old.json')).sourceVersion).toBe(903);
  expect(decode(text('outputs.json')).sourceVersion).toBe(10901);
});

test('subgraphs of control flow are graphs of their own', () => {
  const { nodes } = decode(text('control-flow.json')).graph;
  const bodies = nodes
    .filter((node) => node.subgraphs.length > 0)
    .map((node) => [node.op, node.subgraphs.length]);
  expect(bodies).toEqual([
    ['_foreach', 1],
    ['_while_loop', 2],
    ['_cond', 3],
  ]);
});

const node = (op: string, attrs: Record<string, string> = {}) => ({
  op,
  name: 'n',
  attrs: new Map(Object.entries(attrs)),
});

test('inputs and outputs follow the attributes (include/mxnet/operator.h; rnn-inl.h, leaky_relu-inl.h of 1.9.1)', () => {
  expect(inputName(node('Convolution'), 2)).toBe('bias');
  expect(inputName(node('Convolution', { no_bias: 'True' }), 2)).toBeUndefined();
  expect(inputName(node('Deconvolution'), 2)).toBeUndefined();
  expect(inputName(node('RNN', { mode: 'gru', use_sequence_length: '1' }), 3)).toBe(
    'sequence_length',
  );
  expect(inputName(node('RNN', { mode: 'lstm' }), 3)).toBe('state_cell');
  expect(inputName(node('Concat', { num_args: '3' }), 2)).toBe('arg2');
  expect(outputCounts(node('RNN', { mode: 'lstm', state_outputs: 'True' }))).toEqual({
    visible: 3,
    total: 3,
  });
  expect(outputCounts(node('BatchNorm'))).toEqual({ visible: 1, total: 3 });
  expect(outputCounts(node('LeakyReLU', { act_type: 'rrelu' }))).toEqual({ visible: 2, total: 2 });
  expect(outputCounts(node('_split_v2', { indices: '(0, 2, 5)' }))!.visible).toBe(3);
  expect(outputCounts(node('_split_v2', { indices: '(0,)', sections: '4' }))!.visible).toBe(4);
  expect(outputSuffix(node('RNN', { mode: 'lstm', state_outputs: 'True' }), 2)).toBe(
    'statecell_output',
  );
  expect(outputSuffix(node('SliceChannel', { num_outputs: '3' }), 1)).toBe('output1');
  expect([0, 1, 2, 3, 4].map((i) => isAuxiliary(node('BatchNorm'), i))).toEqual([
    false,
    false,
    false,
    true,
    true,
  ]);
  expect(outputCounts(node('no_such_op'))).toBeUndefined();
});

test('an alias becomes the canonical name, other names stay', () => {
  const graph = decode(
    '{"nodes":[{"op":"null","name":"x","inputs":[]},{"op":"crop","name":"a","inputs":[[0,0]],"attr":{"begin":"(0,)","end":"(1,)"}},{"op":"MyOp","name":"b","inputs":[[1,0]]}],"arg_nodes":[0],"heads":[[2,7]],"attrs":{"mxnet_version":["int",20000]}}',
  ).graph;
  expect(graph.nodes.map(({ op }) => op)).toEqual([null, 'slice', 'MyOp']);
  expect(encodeSymbol(graph)).not.toContain('node_row_ptr');
  expect(decode(encodeSymbol(graph)).graph).toEqual(graph);
});

const tiny = (nodes: string, rest = '"arg_nodes":[0],"heads":[[0,0]]'): string =>
  `{"nodes":[{"op":"null","name":"x","inputs":[]}${nodes}],${rest}}`;

test.each([
  [
    'a node that refers to itself',
    tiny(',{"op":"relu","name":"r","inputs":[[1,0]]}'),
    'mxnet/symbol /nodes/1/inputs/0',
  ],
  [
    'a node that refers forward',
    tiny(',{"op":"relu","name":"r","inputs":[[9,0]]}'),
    'mxnet/symbol /nodes/1/inputs/0',
  ],
  [
    'a negative node',
    tiny(',{"op":"relu","name":"r","inputs":[[-1,0]]}'),
    'core/json /nodes/1/inputs/0/0',
  ],
  [
    'an output that the operator does not have',
    tiny(',{"op":"relu","name":"r","inputs":[[0,1]]}'),
    'mxnet/symbol /nodes/1/inputs/0',
  ],
  [
    'a reference of four numbers',
    tiny(',{"op":"relu","name":"r","inputs":[[0,0,0,0]]}'),
    'mxnet/symbol /nodes/1/inputs/0',
  ],
  [
    'a head that is not there',
    tiny('', '"arg_nodes":[0],"heads":[[1,0]]'),
    'mxnet/symbol /heads/0',
  ],
  [
    'an argument that is an operator',
    tiny(',{"op":"relu","name":"r","inputs":[[0,0]]}', '"arg_nodes":[1],"heads":[[1,0]]'),
    'mxnet/symbol /arg_nodes/0',
  ],
  [
    'an argument that is not there',
    tiny('', '"arg_nodes":[4],"heads":[[0,0]]'),
    'mxnet/symbol /arg_nodes/0',
  ],
  [
    'a variable with inputs',
    tiny(',{"op":"null","name":"y","inputs":[[0,0]]}'),
    'mxnet/symbol /nodes/1',
  ],
  [
    'an attribute that is not text',
    tiny(',{"op":"relu","name":"r","inputs":[[0,0]],"attrs":{"a":1}}'),
    'core/json /nodes/1/attrs/a',
  ],
  [
    'a forward control dependency',
    tiny(',{"op":"relu","name":"r","inputs":[[0,0]],"control_deps":[2]}'),
    'mxnet/symbol /nodes/1/control_deps/0',
  ],
  ['no heads', tiny('', '"arg_nodes":[0]'), 'core/json'],
  [
    'an attribute that decides and cannot be read',
    tiny(',{"op":"RNN","name":"r","inputs":[[0,0]],"attrs":{"state_outputs":"perhaps"}}'),
    'mxnet/attribute',
  ],
])('%s is a typed error at its place', (_, json, expected) => {
  expect(failure(() => decode(json))).toBe(expected);
});

test('limits: nodes and depth of subgraphs', () => {
  let graph = tiny('');
  for (let i = 0; i < 5; i++)
    graph = tiny(
      `,{"op":"_foreach","name":"f","inputs":[[0,0]],"attrs":{"num_args":"2","num_outputs":"1"},"subgraphs":[${graph}]}`,
    );
  expect(failure(() => decode(graph))).toBe('none');
  expect(failure(() => decode(graph, { maxSubgraphDepth: 4 }))).toMatch(/^core\/limit/);
  expect(
    failure(() => decode(tiny(',{"op":"relu","name":"r","inputs":[[0,0]]}'), { maxNodes: 1 })),
  ).toBe('core/limit');
});

test('names are kept as they are: `__proto__` as node and attribute, a megabyte as operator', () => {
  const op = 'o'.repeat(1_000_000);
  const { graph } = decode(
    tiny(
      `,{"op":"${op}","name":"__proto__","inputs":[[0,0]],"attrs":{"__proto__":"1","constructor":"2"}}`,
    ),
  );
  expect([...graph.nodes[1]!.attrs]).toEqual([
    ['__proto__', '1'],
    ['constructor', '2'],
  ]);
  expect(decode(encodeSymbol(graph)).graph.nodes[1]).toEqual(graph.nodes[1]);
});

test('a huge count in an attribute allocates nothing', () => {
  expect(
    failure(() =>
      decode(tiny(',{"op":"Concat","name":"c","inputs":[],"attrs":{"num_args":"4000000000"}}')),
    ),
  ).toBe('none');
});

test('every prefix and every flipped byte of a symbol gives a graph or a typed error', () => {
  const whole = text('aux-0.8.old.json');
  for (let length = 0; length < whole.length; length++)
    failure(() => decode(whole.slice(0, length)));
  for (let at = 0; at < whole.length; at++) {
    for (const mask of [1, 4, 0x20]) {
      const flipped =
        whole.slice(0, at) + String.fromCharCode(whole.charCodeAt(at) ^ mask) + whole.slice(at + 1);
      failure(() => encodeSymbol(decode(flipped).graph));
    }
  }
  expect(Object.keys(Object.prototype)).toEqual([]);
});
