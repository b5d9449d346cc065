import { parseGraph, type Graph } from '@drover/core';
import { signatureOf } from '@drover/core/format';
import { inputSpecs } from './input-spec.js';
import { branchesBySize, chooseShapes, sizesOfRuns, sizings } from './sizes.js';

const specsOf = (graph: Graph) => inputSpecs(signatureOf(graph).inputs, graph);
const shapesFor = (text: string) => {
  const graph = parseGraph(text);
  const specs = specsOf(graph);
  return sizings(specs, graph).map((sizes) => chooseShapes(specs, sizes));
};

it('tries batches that are equal and primes first, then multiples of 32', () => {
  const shapes = shapesFor(`graph main(image: float32[b, 3, h, w], mask: float32[m, k]) {
  return image, mask
}
`);
  expect(shapes[0]).toEqual([[2, 3, 7, 11], [2, 13]]); // prettier-ignore
  expect(shapes).toContainEqual([[2, 3, 64, 96], [2, 128]]); // prettier-ignore
});

it('takes the smallest for which every value has elements', () => {
  // Two windows of 9 and a stride of 2 leave nothing of 7 and 11.
  const [[image]] = shapesFor(
    `graph main(x: float32[n, 1, h, w]) {
  k: float32[1, 1, 9, 9] = constant {"computed":true} [${new Array(81).fill(1).join(', ')}]
  a: float32[n, 1, floordiv(h-9,2)+1, floordiv(w-9,2)+1] = Conv(x, k) {"layout":"channelsFirst","strides":[2,2],"dilations":[1,1],"padding":"explicit","pads":[0,0,0,0],"groups":1}
  b: float32[n, 1, floordiv(floordiv(h-9,2)+1-9,2)+1, floordiv(floordiv(w-9,2)+1-9,2)+1] = Conv(a, k) {"layout":"channelsFirst","strides":[2,2],"dilations":[1,1],"padding":"explicit","pads":[0,0,0,0],"groups":1}
  return b
}
`.replace(' {"computed":true}', ''),
  ) as [[number[]]];
  const left = (size: number) => Math.floor((Math.floor((size - 9) / 2) + 1 - 9) / 2) + 1;
  expect(
    image
      .slice(2)
      .map(left)
      .every((size) => size >= 1),
  ).toBe(true);
  expect(image[2]).not.toBe(image[3]);
  expect(Math.max(...image)).toBeLessThan(64);
});

it('finds the sizes that a product of matrices asks for', () => {
  const [[image]] = shapesFor(`graph main(x: float32[n, 2, h, w]) {
  flat: float32[n, 2*h*w] = Reshape(x) {"shape":["n","2*h*w"]}
  m: float32[30, 1] = constant [${new Array(30).fill(1).join(', ')}]
  y: float32[n, 1] = MatMul(flat, m)
  return y
}
`) as [[number[]]];
  expect(image[2]! * image[3]!).toBe(15);
});

it('makes dimensions equal that have to be', () => {
  const [shapes] = shapesFor(`graph main(a: float32[n, s], b: float32[m, t]) {
  y: float32[n, s] = Add(a, b)
  return y
}
`);
  expect(shapes![0]).toEqual(shapes![1]);
});

const branching = parseGraph(`graph main(x: float32[n, s]) {
  limit: int64[1] = constant [20]
  one: int64[1] = constant [1]
  shape: int64[2] = Shape(x)
  size: int64[1] = Gather(shape, one) {"axis":0}
  isLong: bool[1] = Greater(size, limit)
  condition: bool[] = Squeeze(isLong) {"axes":[0]}
  y: float32[n, s] = If(condition)
    then [x] graph negative(a: float32[n, s]) {
      p: float32[n, s] = Neg(a)
      return p
    }
    else [x] graph positive(b: float32[n, s]) {
      q: float32[n, s] = Abs(b)
      return q
    }
  return y
}
`);

it('knows which branch sizes take, and chooses others to take the other', async () => {
  const specs = specsOf(branching);
  const way = async (s: number) => [
    ...(await branchesBySize(branching, specs, new Map([['n', 2], ['s', s]]))).values(), // prettier-ignore
  ];
  expect([await way(20), await way(21)]).toEqual([[false], [true]]);
  const first = sizings(specs, branching)[0]!;
  const runs = await sizesOfRuns(specs, branching, first, new Map(), 3);
  const ways = await Promise.all(runs.map((sizes) => way(sizes.get('s')!)));
  expect(new Set(ways.flat())).toEqual(new Set([true, false]));
});

it('keeps what it is told', () => {
  const graph = parseGraph('graph main(x: float32[n, s]) {\n  return x\n}\n');
  const specs = specsOf(graph);
  const [sizes] = sizings(specs, graph, { given: new Map([['s', 5]]) });
  expect(chooseShapes(specs, sizes!)).toEqual([[2, 5]]);
});
