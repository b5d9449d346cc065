import { AttributeType, type NodeProto } from '../schema/onnx.js';
import { foreignJson, foreignNode } from './foreign-node.js';

const node: NodeProto = {
  opType: 'Widget',
  domain: 'acme',
  input: ['a', '', 'b'],
  output: ['y'],
  attribute: [
    { name: 'f', type: AttributeType.FLOAT, f: -0 },
    { name: 'nan', type: AttributeType.FLOAT, f: NaN },
    { name: 'i', type: AttributeType.INT, i: -(2n ** 63n) },
    { name: 's', type: AttributeType.STRING, s: new TextEncoder().encode('é漢') },
    { name: 'bytes', type: AttributeType.STRING, s: new Uint8Array([0, 255, 128]) },
    { name: 'floats', type: AttributeType.FLOATS, floats: [1.5, -Infinity] },
    { name: 'ints', type: AttributeType.INTS, ints: [1n, 2n ** 62n] },
    {
      name: 'strings',
      type: AttributeType.STRINGS,
      strings: [new Uint8Array(), new Uint8Array([255])],
    },
  ],
};

test('a node survives JSON, bit for bit', () => {
  const json = JSON.parse(JSON.stringify(foreignJson(node, 3))) as ReturnType<typeof foreignJson>;
  const back = foreignNode(json);
  expect(back).toMatchObject({
    domain: 'acme',
    opType: 'Widget',
    opset: 3,
    operands: [0, 2],
    operandCount: 3,
  });
  expect(back.attributes).toEqual(node.attribute);
  expect(Object.is(back.attributes![0]!.f, -0)).toBe(true);
});

test('a node with a tensor or a body cannot be kept so', () => {
  for (const attribute of [
    { name: 'g', g: {} },
    { name: 't', t: { dims: [1] } },
  ]) {
    expect(foreignNode(foreignJson({ ...node, attribute: [attribute] }, 1)).attributes).toBeNull();
  }
});
