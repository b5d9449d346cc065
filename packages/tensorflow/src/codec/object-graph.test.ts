import { codesOf } from '../../testing/failure.js';
import type { ObjectGraph } from './messages.js';
import { decodeObjectGraph } from './object-graph.js';

describe('the graph of the objects', () => {
  const graph = async (...bytes: number[]): Promise<ObjectGraph> =>
    decodeObjectGraph(Uint8Array.from(bytes), 'm.index');

  test('may go in circles', async () => {
    // nodes { children { node_id: 1 } } nodes { children {} }: each is the other's child.
    const { nodes } = await graph(0x0a, 4, 0x0a, 2, 8, 1, 0x0a, 2, 0x0a, 0);
    expect(nodes).toEqual([{ children: [{ nodeId: 1 }] }, { children: [{}] }]);
  });

  test.each([
    ['an object that is not there', [0x0a, 4, 0x0a, 2, 8, 1]],
    ['a slot that is not there', [0x0a, 4, 0x1a, 2, 0x18, 9]],
    ['bytes that are no message', [0x0a, 9, 1]],
  ])('%s is refused', async (_, bytes) => {
    expect(await codesOf(graph(...bytes))).toEqual(['tensorflow/object-graph']);
  });
});
