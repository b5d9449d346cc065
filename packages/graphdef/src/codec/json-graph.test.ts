import { readFileSync } from 'node:fs';
import { DroverError } from '@drover/core';
import { JsonCursor, parseJson, type JsonValue } from '@drover/core/format';
import type { AttrValue, GraphDef, NodeDef } from './graph-def.js';
import { decodeGraphDef, decodeSignature, encodeGraphDef, encodeSignature } from './json-graph.js';
import { attrOf, outputCount, outputPosition, parseInput } from './operator.js';

const read = (path: string): JsonCursor => {
  const text = readFileSync(new URL(path, import.meta.url), 'utf8');
  return new JsonCursor(parseJson(text, path), path);
};
const graphOf = (json: JsonValue): GraphDef => decodeGraphDef(new JsonCursor(json, 'g.json'));
const attributes = read('./testdata/attributes.json');
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

test('every kind of attribute and typed list is written as TensorFlow prints it', () => {
  const graph = attributes.require('graph');
  expect(encodeGraphDef(decodeGraphDef(graph))).toEqual({
    library: {},
    ...(graph.value as object),
  });
  const signature = attributes.require('signature');
  expect(encodeSignature(decodeSignature(signature))).toEqual(signature.value);
});

test('a function is written as TensorFlow prints it', () => {
  const graph = read('./testdata/function.json');
  expect(encodeGraphDef(decodeGraphDef(graph))).toEqual({ node: [], ...(graph.value as object) });
});

test.each([
  'tf-bert/tfjs',
  'tf-lstm_text/tfjs',
  'tf-lstm_text/tfjs_cfv2',
  'tf-unet/tfjs',
  'basic_pitch/tfjs',
])('the graph of %s is written as tensorflowjs wrote it', (model) => {
  const json = read(`../../../../fixtures/models/${model}/model.json`);
  const topology = json.require('modelTopology');
  expect(encodeGraphDef(decodeGraphDef(topology))).toEqual(topology.value);
  expect(encodeSignature(decodeSignature(json.require('signature')))).toEqual(
    json.require('signature').value,
  );
});

test('values are exact', () => {
  const { attrs } = decodeGraphDef(attributes.require('graph')).nodes[0]!;
  const expected: readonly (readonly [string, AttrValue])[] = [
    ['s', { kind: 's', value: 'SAME' }],
    ['bytes', { kind: 's', value: new Uint8Array([255, 0, 254]) }],
    ['no_bytes', { kind: 's', value: '' }],
    ['zero', { kind: 'i', value: 0 }],
    ['largest', { kind: 'i', value: 2n ** 63n - 1n }],
    ['least', { kind: 'i', value: -(2n ** 63n) }],
    ['f', { kind: 'f', value: Math.fround(0.1) }],
    ['tiny', { kind: 'f', value: 2 ** -149 }],
    ['large', { kind: 'f', value: 16777216 }],
    ['nan', { kind: 'f', value: NaN }],
    ['ref', { kind: 'type', value: 'DT_FLOAT_REF' }],
    ['shape', { kind: 'shape', value: { dims: [-1, 0, 3], dimNames: ['n', 'n', 'n'] } }],
    ['scalar', { kind: 'shape', value: { dims: [] } }],
    ['unknown', { kind: 'shape', value: { dims: null } }],
    ['none', { kind: 'none' }],
    ['empty', { kind: 'list', of: 'none', values: [] }],
    ['list_i', { kind: 'list', of: 'i', values: [1, 0, -(2 ** 40)] }],
    ['__proto__', { kind: 'b', value: true }],
  ];
  for (const [name, value] of expected) expect([name, attrs.get(name)]).toEqual([name, value]);
});

test('other spellings that TF.js accepts: bytes as numbers, enums as numbers, integers as numbers', () => {
  const { attrs } = graphOf({
    node: [{ name: 'n', op: 'X', attr: { s: { s: [83, 65] }, t: { type: 101 }, i: { i: 7 } } }],
  }).nodes[0]!;
  expect([...attrs.values()]).toEqual([
    { kind: 's', value: 'SA' },
    { kind: 'type', value: 'DT_FLOAT_REF' },
    { kind: 'i', value: 7 },
  ]);
});

test("references of function bodies lead where TensorFlow's own graph has them", () => {
  const { functions } = decodeGraphDef(read('./testdata/function.json'));
  const nodes = new Map(functions[0]!.nodes.map((node) => [node.name, node]));
  const references = read('./testdata/references.json').value as readonly (readonly [
    string,
    string,
  ])[];
  expect(references.length).toBeGreaterThan(20);
  for (const [inside, outside] of references) {
    const ref = parseInput(inside);
    expect(`${ref.node}:${outputPosition(nodes.get(ref.node)!, ref)}`).toBe(outside);
  }
});

test('defaults that graphs leave out come from the registry', () => {
  const conv = { op: 'Conv2D', attrs: new Map() };
  expect(attrOf(conv, 'data_format')).toEqual({ kind: 's', value: 'NHWC' });
  expect(attrOf(conv, 'dilations')).toEqual({ kind: 'list', of: 'i', values: [1, 1, 1, 1] });
  expect(attrOf(conv, 'strides')).toBeUndefined();
  expect(attrOf(conv, 'toString')).toBeUndefined();
  expect(attrOf({ op: 'FusedDepthwiseConv2dNative', attrs: new Map() }, 'data_format')).toEqual({
    kind: 's',
    value: 'NHWC',
  });
});

test('outputs are counted by numbers, by lists of types and by functions', () => {
  const node = (op: string, attrs: readonly (readonly [string, AttrValue])[] = []): NodeDef => ({
    name: 'n',
    op,
    inputs: [],
    device: '',
    attrs: new Map(attrs),
    extra: new Map(),
  });
  expect(outputCount(node('FusedBatchNormV3'))).toBe(6);
  expect(outputCount(node('Split', [['num_split', { kind: 'i', value: 4 }]]))).toBe(4);
  expect(
    outputCount(
      node('IdentityN', [['T', { kind: 'list', of: 'type', values: ['DT_FLOAT', 'DT_BOOL'] }]]),
    ),
  ).toBe(2);
  const { functions } = decodeGraphDef(read('./testdata/function.json'));
  const { signature } = functions[0]!;
  expect(outputCount(node(signature.name), new Map([[signature.name, signature]]))).toBe(5);
  expect(outputCount(node('Unknown'))).toBeUndefined();
  expect(failure(() => outputCount(node('Split')))).toBe('graphdef/attribute');
  expect(failure(() => outputCount(node('Split', [['num_split', { kind: 'i', value: -1 }]])))).toBe(
    'graphdef/attribute',
  );
  expect(failure(() => outputPosition(node('TopKV2'), parseInput('n:indices:1')))).toBe(
    'graphdef/graph',
  );
  expect(failure(() => outputPosition(node('TopKV2'), parseInput('n:2')))).toBe('graphdef/graph');
});

test.each(['a:b', 'a:-1', 'a:b:c', 'a:b:c:1', ':0', '', 'a:99999999999'])(
  'the reference %p is a typed error',
  (text) => {
    expect(failure(() => parseInput(text))).toBe('graphdef/graph');
  },
);

const one = (attr: JsonValue): JsonValue => ({ node: [{ name: 'n', op: 'X', attr: { a: attr } }] });

test.each<[string, JsonValue, string]>([
  [
    'two nodes of one name',
    {
      node: [
        { name: 'n', op: 'X' },
        { name: 'n', op: 'Y' },
      ],
    },
    'core/duplicate /node/1',
  ],
  ['a node without operator', { node: [{ name: 'n' }] }, 'core/json /node/0'],
  ['two kinds in one value', one({ i: '1', f: 2 }), 'core/json /node/0/attr/a'],
  ['an unknown kind', one({ constructor: 1 }), 'core/json /node/0/attr/a'],
  ['an integer that is none', one({ i: '1.5' }), 'core/json /node/0/attr/a/i'],
  ['an integer beyond 64 bits', one({ i: '18446744073709551616' }), 'core/json /node/0/attr/a/i'],
  ['bytes that are not base64', one({ s: '%%%' }), 'core/json /node/0/attr/a/s'],
  ['a type that is not there', one({ type: 99 }), 'core/json /node/0/attr/a/type'],
  ['a list of two kinds', one({ list: { i: ['1'], f: [2] } }), 'core/json /node/0/attr/a/list'],
  ['a list of an unknown kind', one({ list: { x: ['1'] } }), 'core/json /node/0/attr/a/list'],
  ['an attribute of null', one(null), 'core/json /node/0/attr/a'],
  [
    'an argument that is no position',
    { library: { function: [{ signature: {}, argAttr: { x: {} } }] } },
    'core/json /library/function/0/argAttr/x',
  ],
])('%s is a typed error at its place', (_, json, expected) => {
  expect(failure(() => graphOf(json))).toBe(expected);
});

test('every prefix and every flipped byte of a graph gives a graph or a typed error', () => {
  const attr = {
    s: { s: 'U0FNRQ==' },
    i: { list: { i: ['1', '-2'] } },
    f: { f: 'NaN' },
    t: { type: 'DT_FLOAT' },
    d: { shape: { dim: [{ size: '-1' }, {}] } },
    v: { tensor: { dtype: 'DT_INT32', tensorShape: {}, intVal: [3] } },
    g: { func: { name: 'g', attr: { T: { placeholder: 'T' } } } },
  };
  const signature = { name: 'g', inputArg: [{ name: 'x', type: 'DT_FLOAT' }], isStateful: true };
  const function_ = {
    signature,
    nodeDef: [{ name: 'a', op: 'Relu', input: ['x'] }],
    ret: { y: 'a:activations:0' },
    argAttr: { 0: { attr: { u: { b: true } } } },
  };
  const whole = JSON.stringify({
    node: [{ name: 'n', op: 'Conv2D', input: ['x', '^y'], attr }],
    library: { function: [function_] },
    versions: { producer: 9 },
  });
  const decode = (text: string): unknown =>
    encodeGraphDef(decodeGraphDef(new JsonCursor(parseJson(text, 'g.json'), 'g.json')));
  expect(decode(whole)).toEqual(JSON.parse(whole));
  for (let length = 0; length < whole.length; length++)
    expect(failure(() => decode(whole.slice(0, length)))).not.toBe('none');
  for (let at = 0; at < whole.length; at++) {
    for (let bit = 0; bit < 7; bit++)
      failure(() =>
        decode(
          whole.slice(0, at) +
            String.fromCharCode(whole.charCodeAt(at) ^ (1 << bit)) +
            whole.slice(at + 1),
        ),
      );
  }
  expect(Object.keys(Object.prototype)).toEqual([]);
});
