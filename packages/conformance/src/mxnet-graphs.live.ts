import {
  Model,
  evaluate,
  memorySource,
  MemorySink,
  parseGraph,
  tensor,
  toNumbers,
  type Tensor,
  openModel,
  writeModel,
} from '@drover/core';
import { mxnet } from '@drover/mxnet';
import { readSymbol } from '@drover/mxnet/codec';
import { mxnet as mxnetRuntime } from '@drover/runtimes/mxnet';

interface Case {
  readonly name: string;
  /** An operator of MXNet's that it is written with. */
  readonly operator: string;
  readonly graph: string;
  readonly inputs: readonly Tensor[];
  readonly outputs: Readonly<Record<string, readonly number[]>>;
}

const float = (shape: readonly number[], ...values: readonly number[]) =>
  tensor('float32', shape, values);

/**
 * Graphs that MXNet needs to be written in a way of its own; what they give is worked out by hand.
 */
const cases: readonly Case[] = [
  {
    name: 'a loop from the last column to the first, the results the other way round',
    operator: '_foreach',
    graph: `graph main(x: float32[2, n], s: float32[2]) {
  last: float32[2], all: float32[2, n] = Scan(s, x) {"states":1,"inputAxes":[1],"inputReverse":[true],"outputAxes":[1],"outputReverse":[true]}
    body [] graph body(a: float32[2], e: float32[2]) {
      sum: float32[2] = Add(a, e)
      return sum, each = sum
    }
  return last, all
}
`,
    inputs: [float([2, 3], 1, 2, 3, 4, 5, 6), float([2], 0, 0)],
    outputs: { last: [6, 15], all: [6, 5, 3, 15, 11, 6] },
  },
  {
    name: 'a loop over a list, carrying a scalar',
    operator: '_foreach',
    graph: `graph main(x: float32[n]) {
  one: float32[] = constant [1]
  last: float32[], all: float32[n] = Scan(one, x) {"states":1,"inputAxes":[0],"inputReverse":[false],"outputAxes":[0],"outputReverse":[false]}
    body [] graph body(a: float32[], e: float32[]) {
      product: float32[] = Mul(a, e)
      return product, each = product
    }
  return all, last
}
`,
    inputs: [float([3], 2, 3, 4)],
    outputs: { all: [2, 6, 24], last: [24] },
  },
  {
    name: 'a loop with a state and a sequence that the body does not read, and results that are what it was given',
    operator: '_foreach',
    graph: `graph main(x: float32[n, 2], z: float32[n, 3], a: float32[2], b: float32[2]) {
  p: float32[2], q: float32[2], all: float32[n, 2] = Scan(a, b, x, z) {"states":2,"inputAxes":[0,0],"inputReverse":[false,false],"outputAxes":[0],"outputReverse":[false]}
    body [] graph body(c: float32[2], d: float32[2], e: float32[2], f: float32[3]) {
      minus: float32[2] = Neg(e)
      return e, minus, each = c
    }
  return p, q, all
}
`,
    inputs: [
      float([2, 2], 1, 2, 3, 4),
      float([2, 3], 0, 0, 0, 0, 0, 0),
      float([2], 9, 8),
      float([2], 7, 7),
    ],
    outputs: { p: [3, 4], q: [-3, -4], all: [9, 8, 1, 2] },
  },
  {
    name: 'a loop as often as a dimension is long, with the number of the trip, a constant and a value from outside',
    operator: '_foreach',
    graph: `graph main(x: float32[n, 2], w: float32[2]) {
  tens: float32[2] = constant [10, 20]
  ones: float32[2] = constant [1, 1]
  size: int64[1] = Dims() {"values":["n"]}
  trips: int64[] = Reshape(size) {"shape":[]}
  goes: bool[] = constant [true]
  last: float32[2], all: float32[n, 2] = Loop(trips, _, ones) {"carried":1}
    body [w] graph body(trip: int64[], go: bool[], a: float32[2], v: float32[2]) {
      t: float32[] = Cast(trip) {"to":"float32"}
      sum: float32[2] = Add(a, t)
      more: float32[2] = Mul(sum, v)
      shown: float32[2] = Add(more, tens)
      return goes, sum, shown
    }
  y: float32[n, 2] = Add(x, all)
  return last, y
}
`,
    inputs: [float([3, 2], 0, 0, 0, 0, 0, 0), float([2], 1, 2)],
    outputs: { last: [4, 4], y: [11, 22, 12, 24, 14, 28] },
  },
  {
    name: 'a loop with the size of an input that its body does not take',
    operator: '_foreach',
    graph: `graph main(x: float32[n, 2], z: float32[m, 3]) {
  zeros: float32[2] = constant [0, 0]
  last: float32[2] = Scan(zeros, x) {"states":1,"inputAxes":[0],"inputReverse":[false],"outputAxes":[],"outputReverse":[]}
    body [] graph body(a: float32[2], e: float32[2]) {
      sum: float32[2] = Add(a, e)
      rows: float32[m, 2] = Expand(sum) {"shape":["m",2]}
      total: float32[2] = ReduceSum(rows) {"axes":[0],"keepdims":false}
      return total
    }
  y: float32[m, 3] = Neg(z)
  return last, y
}
`,
    inputs: [float([2, 2], 1, 2, 3, 4), float([3, 3], 1, 2, 3, 4, 5, 6, 7, 8, 9)],
    outputs: { last: [18, 30], y: [-1, -2, -3, -4, -5, -6, -7, -8, -9] },
  },
  {
    name: 'a loop in a loop',
    operator: '_foreach',
    graph: `graph main(x: float32[n, m]) {
  zero: float32[1] = constant [0]
  last: float32[1], all: float32[n, m] = Scan(zero, x) {"states":1,"inputAxes":[0],"inputReverse":[false],"outputAxes":[0],"outputReverse":[false]}
    body [] graph body(a: float32[1], row: float32[m]) {
      end: float32[1], sums: float32[m] = Scan(a, row) {"states":1,"inputAxes":[0],"inputReverse":[false],"outputAxes":[0],"outputReverse":[false]}
        body [] graph inner(b: float32[1], e: float32[]) {
          sum: float32[1] = Add(b, e)
          one: float32[] = Reshape(sum) {"shape":[]}
          return sum, one
        }
      return end, sums
    }
  return last, all
}
`,
    inputs: [float([2, 3], 1, 2, 3, 4, 5, 6)],
    outputs: { last: [21], all: [1, 3, 6, 10, 15, 21] },
  },
  {
    name: 'a loop that gives a product and what is made of it',
    operator: '_foreach',
    graph: `graph main(x: float32[n, 1, 2]) {
  weights: float32[2, 2] = constant [1, -1, 2, -2]
  zeros: float32[1, 2] = constant [0, 0]
  last: float32[1, 2], all: float32[n, 1, 2] = Scan(zeros, x) {"states":1,"inputAxes":[0],"inputReverse":[false],"outputAxes":[0],"outputReverse":[false]}
    body [] graph body(a: float32[1, 2], e: float32[1, 2]) {
      product: float32[1, 2] = MatMul(e, weights)
      positive: float32[1, 2] = Relu(product)
      sum: float32[1, 2] = Add(a, positive)
      return sum, product
    }
  return last, all
}
`,
    inputs: [float([2, 1, 2], 1, 2, 3, 4)],
    outputs: { last: [16, 0], all: [5, -5, 11, -11] },
  },
  {
    name: 'a loop with a normalisation by stored statistics',
    operator: '_foreach',
    graph: `graph main(x: float32[n, 1, 2]) {
  zeros: float32[1, 2] = constant [0, 0]
  scale: float32[2] = constant [2, 3]
  shift: float32[2] = constant [1, -1]
  means: float32[2] = constant [1, 2]
  variances: float32[2] = constant [4, 16]
  last: float32[1, 2] = Scan(zeros, x) {"states":1,"inputAxes":[0],"inputReverse":[false],"outputAxes":[],"outputReverse":[]}
    body [] graph body(a: float32[1, 2], e: float32[1, 2]) {
      normal: float32[1, 2] = BatchNormalization(e, scale, shift, means, variances) {"axis":1,"epsilon":0}
      sum: float32[1, 2] = Add(a, normal)
      return sum
    }
  return last
}
`,
    // (e - mean) / sqrt(variance) * scale + shift: 3 and 2, then 5 and 5.
    inputs: [float([2, 1, 2], 3, 6, 5, 10)],
    outputs: { last: [8, 7] },
  },
  {
    name: 'a loop that counts in integers what a mask lets through',
    operator: '_foreach',
    graph: `graph main(x: float32[n, 2], mask: bool[n, 2], c: int64[2]) {
  zeros: float32[2] = constant [0, 0]
  none: bool[2] = constant [false, false]
  last: float32[2], count: int64[2], any: bool[2] = Scan(zeros, c, none, x, mask) {"states":3,"inputAxes":[0,0],"inputReverse":[false,false],"outputAxes":[],"outputReverse":[]}
    body [] graph body(a: float32[2], k: int64[2], seen: bool[2], e: float32[2], m: bool[2]) {
      kept: float32[2] = Where(m, e, a)
      one: int64[2] = Cast(m) {"to":"int64"}
      more: int64[2] = Add(k, one)
      ever: bool[2] = Or(seen, m)
      return kept, more, ever
    }
  return last, count, any
}
`,
    inputs: [
      float([3, 2], 1, 2, 3, 4, 5, 6),
      tensor('bool', [3, 2], [1, 0, 0, 0, 1, 0]),
      tensor('int64', [2], [7n, 2n ** 40n]),
    ],
    outputs: { last: [5, 0], count: [9, 2 ** 40], any: [1, 0] },
  },
  {
    name: 'a loop of more steps than are written out',
    operator: '_foreach',
    graph: `graph main(x: float32[100, 1]) {
  zero: float32[1] = constant [0]
  last: float32[1], all: float32[100, 1] = Scan(zero, x) {"states":1,"inputAxes":[0],"inputReverse":[false],"outputAxes":[0],"outputReverse":[false]}
    body [] graph body(a: float32[1], e: float32[1]) {
      sum: float32[1] = Add(a, e)
      return sum, each = sum
    }
  return all
}
`,
    inputs: [float([100, 1], ...new Array<number>(100).fill(1))],
    outputs: { all: Array.from({ length: 100 }, (_, i) => i + 1) },
  },
  {
    name: 'a convolution that a normalisation and a later sum read',
    operator: 'BlockGrad',
    graph: `graph main(x: float32[1, 1, 1, 2]) {
  two: float32[1, 1, 1, 1] = constant [2]
  three: float32[1, 1, 1, 1] = constant [3]
  scale: float32[1] = constant [1]
  shift: float32[1] = constant [0]
  mean: float32[1] = constant [1]
  variance: float32[1] = constant [4]
  a: float32[1, 1, 1, 2] = Conv(x, two) {"layout":"channelsFirst","strides":[1,1],"dilations":[1,1],"padding":"explicit","pads":[0,0,0,0],"groups":1}
  b: float32[1, 1, 1, 2] = BatchNormalization(a, scale, shift, mean, variance) {"axis":1,"epsilon":0}
  c: float32[1, 1, 1, 2] = Conv(b, three) {"layout":"channelsFirst","strides":[1,1],"dilations":[1,1],"padding":"explicit","pads":[0,0,0,0],"groups":1}
  y: float32[1, 1, 1, 2] = Add(c, a)
  return y
}
`,
    // a is 2 and 4, b 0.5 and 1.5.
    inputs: [float([1, 1, 1, 2], 1, 2)],
    outputs: { y: [3.5, 8.5] },
  },
  {
    name: 'a product of float16',
    operator: 'FullyConnected',
    graph: `graph main(x: float16[n, 2]) {
  w: float16[2, 1] = constant [0.5, 4]
  y: float16[n, 1] = MatMul(x, w)
  return y
}
`,
    inputs: [tensor('float16', [2, 2], [2, 3, 4, 5])],
    outputs: { y: [13, 22] },
  },
];

describe('graphs written for MXNet', () => {
  const runtime = mxnetRuntime();

  it.each(cases)('$name', async ({ operator, graph: text, inputs, outputs }) => {
    const graph = parseGraph(text);
    const model = new Model(graph);
    const sink = new MemorySink();
    await writeModel(model, { to: mxnet, sink });
    const source = memorySource('model-symbol.json', sink.files);
    expect((await readSymbol(source)).graph.nodes.map(({ op }) => op)).toContain(operator);

    const loaded = await runtime.load({ source });
    const given = new Map(graph.inputs.map(({ name }, i) => [name, inputs[i]!]));
    const results = [...(await loaded.run(given).finally(() => loaded.dispose())).values()];
    const again = await openModel(source, mxnet);
    const read = [...(await evaluate(again.graph, inputs)).values()];
    const expected = graph.outputs.map(({ name }) => outputs[name]);
    expect(results.map((result) => [...toNumbers(result)])).toEqual(expected);
    expect(read.map((result) => [...toNumbers(result)])).toEqual(expected);
  });
});
