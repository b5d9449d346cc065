import fc from 'fast-check';
import { ByteHandle } from '../bytes/byte-handle.js';
import { DroverError } from '../diagnostics/diagnostic.js';
import { ops } from '../ops/ops.js';
import { addDim, mulDim, symbol } from '../tensor/dim.js';
import { tensor } from '../tensor/tensor.js';
import { Weight } from '../tensor/weight.js';
import { evaluate } from '../evaluate/evaluate.js';
import { Graph } from './graph.js';
import { parseGraph } from './parse-text.js';
import { namedWeights, printGraph } from './text.js';
import { verify } from './verify.js';

const n = symbol('n');

const notRead = (length: number) =>
  ByteHandle.computed(length, () => {
    throw new Error('read');
  });

function perceptron(): Graph {
  const graph = new Graph();
  const x = graph.input('x', 'float32', [n, 3]);
  const w = graph.constant(
    Weight.stored('float32', [3, 10], 'dense/kernel', notRead(120)),
    'dense/kernel:0',
  );
  const { y: h } = graph.add(ops.MatMul, { a: x, b: w }, {}, { name: 'dense' });
  const { y: shifted } = graph.add(
    ops.Add,
    { a: h, b: graph.literal('float32', [], [0.1], 'shift') },
    {},
    { name: 'add', outputs: ['sum'] },
  );
  const { y } = graph.add(ops.Softmax, { x: shifted }, { axis: 1 }, { name: 'y' });
  graph.output('probabilities', y);
  return graph;
}

test('the text of a small network', () => {
  expect(printGraph(perceptron())).toBe(`graph main(x: float32[n, 3]) {
  dense/kernel:0: float32[3, 10] = weight
  shift: float32[] = constant [0.1]
  dense: float32[n, 10] = MatMul(x, dense/kernel:0)
  sum: float32[n, 10] = Add(dense, shift) @ add
  y: float32[n, 10] = Softmax(sum) {"axis":1}
  return probabilities = y
}
`);
});

/** print ∘ parse ∘ print = print; the parsed graph is well formed and keeps the named weights. */
function expectRoundTrip(graph: Graph): Graph {
  const text = printGraph(graph);
  const weights = namedWeights(graph);
  const parsed = parseGraph(text, weights);
  verify(parsed);
  expect(printGraph(parsed)).toBe(text);
  expect(namedWeights(parsed)).toEqual(weights);
  return parsed;
}

test('parsing gives the graph back: inputs, weights, names, outputs', () => {
  const parsed = expectRoundTrip(perceptron());
  expect(parsed.inputs[0]!.shape).toEqual([n, 3]);
  expect(parsed.sorted().map(({ op, name }) => [op, name])).toEqual([
    [ops.MatMul, 'dense'],
    [ops.Add, 'add'],
    [ops.Softmax, 'y'],
  ]);
  expect(parsed.sorted()[1]!.inputs[1]!.constant!.peek()).toEqual(
    tensor('float32', [], [Math.fround(0.1)]),
  );
});

test('names that are no words, that repeat, or that mean something stand in quotes', () => {
  const graph = new Graph('a graph');
  const x = graph.input('the input', 'float32', [2]);
  const first = graph.add(ops.Exp, { x }, {}, { name: 'return' }).y;
  const second = graph.add(ops.Exp, { x: first }, {}, { name: 'return' }).y;
  graph.output('"', graph.add(ops.Exp, { x: second }, {}, { name: '_' }).y);
  expect(printGraph(graph)).toBe(`graph "a graph"("the input": float32[2]) {
  "return": float32[2] = Exp("the input")
  return~2 "return": float32[2] = Exp("return")
  "_": float32[2] = Exp(return~2)
  return "\\"" = "_"
}
`);
  const parsed = expectRoundTrip(graph);
  expect(parsed.sorted().map(({ outputs }) => outputs[0]!.name)).toEqual(['return', 'return', '_']);
});

test('elements of every kind survive, and a NaN is only named', () => {
  const graph = new Graph();
  const constants = [
    tensor('float32', [4], [0.1, -0, Infinity, 16777216]),
    tensor('float64', [2], [0.1 + 0.2, 5e-324]),
    tensor('float16', [2], [65504, 2 ** -24]),
    tensor('float8e4m3fn', [2], [448, -0.001953125]),
    tensor('int64', [2], [9007199254740993n, -1n]),
    tensor('uint64', [1], [18446744073709551615n]),
    tensor('int4', [3], [-8, 7, 0]),
    tensor('bool', [2, 1], [true, false]),
    tensor('string', [2], ['a, "b"', '']),
    tensor('complex64', [1], [1.5, -2]),
    tensor('float32', [0], []),
  ];
  constants.forEach((constant, i) =>
    graph.output(`c${i}`, graph.constant(Weight.from(constant), `c${i}`)),
  );
  graph.output('nan', graph.literal('float32', [1], [NaN], 'nan'));
  const parsed = expectRoundTrip(graph);
  constants.forEach((constant, i) =>
    expect(parsed.outputs[i]!.value.constant!.peek()).toEqual(Weight.from(constant).peek()),
  );
  expect([...namedWeights(graph).keys()]).toEqual(['nan']);
  // Nine digits are enough for any float32, one is enough for 0.1.
  expect(printGraph(graph)).toContain(
    'c0: float32[4] = constant [0.1, "-0", "Infinity", 16777216]',
  );
});

test('bodies state what they capture, and share constants with the graph around them', async () => {
  const graph = new Graph();
  const condition = graph.input('condition', 'bool', []);
  const x = graph.input('x', 'float32', [2]);
  const two = graph.literal('float32', [], [2], 'two');
  const branch = (name: string, op: typeof ops.Mul | typeof ops.Add) => {
    const body = new Graph(name, graph);
    body.output(
      'y',
      body.add(op, { a: body.capture(x), b: body.capture(two) }, {}, { name: 'y' }).y,
    );
    return body.region();
  };
  const { outputs } = graph.add(
    ops.If,
    { condition },
    {},
    { name: 'y', regions: { then: branch('double', ops.Mul), else: branch('more', ops.Add) } },
  );
  graph.output('y', outputs[0]!);
  expect(printGraph(graph)).toBe(`graph main(condition: bool[], x: float32[2]) {
  two: float32[] = constant [2]
  y: float32[2] = If(condition)
    then [x] graph double(x: float32[2]) {
      y: float32[2] = Mul(x, two)
      return y
    }
    else [x] graph more(x: float32[2]) {
      y: float32[2] = Add(x, two)
      return y
    }
  return y
}
`);
  const parsed = expectRoundTrip(graph);
  const results = await evaluate(parsed, [
    tensor('bool', [], [true]),
    tensor('float32', [2], [3, 4]),
  ]);
  expect(results.get('y')).toEqual(tensor('float32', [2], [6, 8]));
});

test('absent operands, lists of results, symbolic attributes and unknown shapes', () => {
  const graph = new Graph();
  const x = graph.input('x', 'float32', [n, 4]);
  const any = graph.input('any', 'float32', undefined);
  const { outputs } = graph.add(
    ops.Split,
    { x },
    { axis: 1, sizes: [1, 3] },
    { name: 'parts', outputs: ['left', 'right'] },
  );
  graph.output(
    'flat',
    graph.add(ops.Reshape, { x: outputs[1]! }, { shape: [mulDim(n, 3)] }, { name: 'flat' }).y,
  );
  graph.output('exp', graph.add(ops.Exp, { x: any }, {}, { name: 'exp' }).y);
  const text = printGraph(graph);
  expect(text).toContain(
    'left: float32[n, 1], right: float32[n, 3] = Split(x) {"axis":1,"sizes":[1,3]} @ parts\n',
  );
  expect(text).toContain('flat: float32[3*n] = Reshape(right) {"shape":["3*n"]}\n');
  expect(text).toContain('exp: float32[...] = Exp(any)\n');
  expectRoundTrip(graph);
});

test('dimensions that depend on data are numbered by the text, not by the process, and never meet others of their name', () => {
  const build = () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [n]);
    const { y: found } = graph.add(ops.NonZero, { x }, {}, { name: 'found' });
    const { y: again } = graph.add(ops.NonZero, { x }, {}, { name: 'again' });
    graph.output('found', found);
    graph.output(
      'joined',
      graph.add(ops.Concat, { inputs: [found, again] }, { axis: 1 }, { name: 'joined' }).y,
    );
    return graph;
  };
  const text = printGraph(build());
  expect(printGraph(build())).toBe(text);
  const parsed = expectRoundTrip(build());
  const [a, b] = [parseGraph(text), parsed].map((graph) => graph.outputs[0]!.value.shape![1]!);
  expect(String(a)).not.toBe(String(b));
});

test('a random chain of operators is read back (property)', () => {
  const arbitrary = fc.array(
    fc.tuple(
      fc.constantFrom('Exp', 'Neg', 'Add', 'Clip', 'Transpose'),
      fc.nat(),
      fc.nat(),
      fc.string(),
    ),
    {
      maxLength: 20,
    },
  );
  fc.assert(
    fc.property(arbitrary, (steps) => {
      const graph = new Graph();
      const values = [graph.input('x', 'float32', [n, addDim(n, 1)])];
      for (const [kind, i, j, name] of steps) {
        const [x, b] = [values[i % values.length]!, values[j % values.length]!];
        if (kind === 'Exp' || kind === 'Neg')
          values.push(graph.add(ops[kind], { x }, {}, { name }).y);
        if (kind === 'Add' && x.shape!.join() === b.shape!.join())
          values.push(graph.add(ops.Add, { a: x, b }, {}, { name }).y);
        if (kind === 'Clip')
          values.push(
            graph.add(ops.Clip, { x }, { min: j % 2 ? null : -0, max: Infinity }, { name }).y,
          );
        if (kind === 'Transpose')
          values.push(graph.add(ops.Transpose, { x }, { perm: [1, 0] }, { name }).y);
      }
      graph.output('y', values.at(-1)!);
      expectRoundTrip(graph);
    }),
  );
});

describe('what is wrong is told with its line', () => {
  const lines = printGraph(perceptron()).split('\n');
  const attempt = (edit: (line: string, i: number) => string): string => {
    try {
      parseGraph(lines.map(edit).join('\n'), namedWeights(perceptron()));
    } catch (error) {
      if (error instanceof DroverError) return error.message;
      throw error;
    }
    return 'parsed';
  };
  const inLine = (at: number, from: string, to: string) =>
    attempt((line, i) => (i === at - 1 ? line.replace(from, to) : line));
  test.each([
    [1, 'float32', 'float33', '"float33" is not an element type'],
    [1, 'n, 3', 'n n', '"n n" is not a dimension'],
    [1, 'graph', 'grap', 'the word graph is missing before "grap main'],
    [2, '3, 10', '3, 11', 'the weight "dense/kernel:0" is float32[3, 10]'],
    [2, 'kernel:0', 'kernel:1', 'there is no weight "dense/kernel:1"'],
    [3, '0.1', '0.1, 2', 'The elements do not fill float32[]'],
    [3, '0.1', '"x"', '"x" is not float32'],
    [3, '[0.1]', '[0.1', 'not JSON'],
    [3, 'float32[]', 'float32[-1]', 'do not fill'],
    [4, 'MatMul', 'MutMal', 'there is no operator "MutMal"'],
    [4, 'MatMul', 'constructor', 'there is no operator "constructor"'],
    [4, 'MatMul', '__proto__', 'there is no operator "__proto__"'],
    [1, 'float32', 'toString', '"toString" is not an element type'],
    [4, '(x,', '(z,', 'there is no value "z"'],
    [4, 'n, 10', 'n, 11', '"dense" is float32[n, 10]'],
    [4, ' = ', ', more: float32[] = ', 'MatMul has 1 results, not 2'],
    [5, 'sum', 'dense', '"dense" is declared twice'],
    [6, '"axis":1', '"axis":2', 'Softmax C1'],
    [6, '"axis":1', '"axis":"one"', 'the attribute axis must be an integer'],
    [6, '"axis":1', '"axes":1', 'Softmax has no attribute "axes"'],
    [6, '"axis":1', '"axis":1,"__proto__":1', 'Softmax has no attribute "__proto__"'],
    [6, '"axis":1', '"toString":1', 'Softmax has no attribute "toString"'],
    [6, ' {"axis":1}', '', 'the attribute axis must be an integer, not absent'],
    [7, 'return', 'returns', '":" is missing before "probabilities'],
    [7, '= y', '= w', 'there is no value "w"'],
    [8, '}', '} more', '"more" follows the graph'],
  ])('line %i: %j instead of %j: %s', (line, from, to, message) => {
    const told = inLine(line, from, to);
    expect(told).toContain(message);
    expect(told).toMatch(new RegExp(`^core/invalid-text: Line ${line}: `));
  });

  test('mutilated text gives typed errors only (property)', () => {
    const text = lines.join('\n');
    fc.assert(
      fc.property(
        fc.nat(text.length),
        fc.nat(6),
        fc.string({ maxLength: 4 }),
        (at, length, put) => {
          const mutilated = text.slice(0, at) + put + text.slice(at + length);
          try {
            parseGraph(mutilated, namedWeights(perceptron()));
          } catch (error) {
            expect(error).toBeInstanceOf(DroverError);
            expect((error as DroverError).diagnostics[0]!.code).toBe('core/invalid-text');
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('nesting is bounded', () => {
    const deep = 'graph g(c: bool[]) { y: bool[] = If(c) then [] '.repeat(100);
    expect(() => parseGraph(deep)).toThrow('deeper than 64');
  });
});
