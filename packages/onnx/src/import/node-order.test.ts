import type { NodeProto } from '../schema/onnx.js';
import { inDependencyOrder } from './node-order.js';

const node = (
  name: string,
  input: readonly string[],
  output: readonly string[] = [name],
  body?: NodeProto,
): NodeProto => ({
  opType: 'Op',
  name,
  input,
  output,
  ...(body && {
    attribute: [{ name: 'body', g: { node: [body], output: [{ name: body.output![0]! }] } }],
  }),
});
const names = (nodes: readonly NodeProto[]) => nodes.map(({ name }) => name);

test('an order that is right stays, and is the very list', () => {
  const nodes = [node('a', ['x']), node('b', ['a']), node('c', ['x', ''])];
  expect(inDependencyOrder(nodes, 'f')).toBe(nodes);
});

test('each node comes after what it needs, else the order stays', () => {
  expect(
    names(
      inDependencyOrder(
        [node('c', ['b']), node('d', ['x']), node('b', ['a']), node('a', ['x'])],
        'f',
      ),
    ),
  ).toEqual(['a', 'b', 'c', 'd']);
});

test('what a body captures counts', () => {
  expect(
    names(
      inDependencyOrder([node('if', ['x'], ['y'], node('inner', ['a'])), node('a', ['x'])], 'f'),
    ),
  ).toEqual(['a', 'if']);
});

test('a circle is told with its nodes', () => {
  const circle = [
    node('before', ['x']),
    node('a', ['b']),
    node('b', ['c', 'before']),
    node('c', ['a']),
  ];
  expect(() => inDependencyOrder(circle, 'f')).toThrow(
    /3 nodes depend on one another in a circle: Op a, Op b, Op c\./,
  );
  expect(() => inDependencyOrder([node('a', ['a'])], 'f')).toThrow('Op a depends on itself.');
});
