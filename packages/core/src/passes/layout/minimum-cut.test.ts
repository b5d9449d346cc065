import { FlowNetwork } from './minimum-cut.js';

const network = (vertices: number, arcs: readonly (readonly [number, number, number])[]) => {
  const made = new FlowNetwork();
  for (let i = 0; i < vertices; i++) made.vertex();
  for (const [from, to, capacity] of arcs) made.arc(from, to, capacity);
  return made;
};

describe('FlowNetwork', () => {
  test('cuts the narrowest place of a chain', () => {
    const side = network(4, [
      [0, 1, 5],
      [1, 2, 2],
      [2, 3, 7],
    ]).sinkSide(0, 3);
    expect([...side].sort()).toEqual([2, 3]);
  });

  test('finds the cut of capacity 23 in the textbook network (Cormen et al., figure 26.6)', () => {
    // prettier-ignore
    const arcs = [
      [0, 1, 16], [0, 2, 13], [1, 3, 12], [2, 1, 4], [2, 4, 14], [3, 2, 9], [3, 5, 20], [4, 3, 7],
      [4, 5, 4],
    ] as const;
    const side = network(6, arcs).sinkSide(0, 5);
    const cut = arcs
      .filter(([from, to]) => !side.has(from) && side.has(to))
      .reduce((sum, [, , capacity]) => sum + capacity, 0);
    expect(cut).toBe(23);
  });

  test('never cuts an infinite arc, and leaves vertices without arcs on the source side', () => {
    const side = network(5, [
      [0, 1, 1],
      [1, 2, Infinity],
      [2, 3, 9],
    ]).sinkSide(0, 3);
    expect([...side].sort()).toEqual([1, 2, 3]);
  });

  test('takes a long chain without recursion', () => {
    const length = 100_000;
    const made = new FlowNetwork();
    for (let i = 0; i <= length; i++) made.vertex();
    for (let i = 0; i < length; i++) made.arc(i, i + 1, i === 777 ? 1 : 2);
    expect(made.sinkSide(0, length).size).toBe(length - 777);
  });
});
