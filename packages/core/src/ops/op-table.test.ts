import { integerRanges } from '../analysis/integer-range.js';
import { DroverError } from '../diagnostics/diagnostic.js';
import { evaluate } from '../evaluate/evaluate.js';
import { Evaluator } from '../evaluate/evaluator.js';
import { Graph } from '../graph/graph.js';
import type { Node } from '../graph/node.js';
import type { Value } from '../graph/value.js';
import { deadCode } from '../passes/dead-code.js';
import { runPass } from '../passes/define-pass.js';
import { evaluateDim, symbol, type Dim } from '../tensor/dim.js';
import { bitsOf, intRange, isFloat, type DType } from '../tensor/dtype.js';
import { sizeOf, tensor, type Tensor } from '../tensor/tensor.js';
import { Weight } from '../tensor/weight.js';
import type { Attr, Attrs, Json } from './attr.js';
import type { Example, Op, Operands } from './define-op.js';
import { ops } from './ops.js';

type Given<T> = Readonly<Record<string, T | readonly T[] | undefined>>;

const table = Object.values(ops) as unknown as readonly Op[];
// Bodies are graphs, which an example cannot hold, and a foreign operator cannot be evaluated;
// these have tests of their own.
const plain = table.filter((op) => !op.regions && op.name !== ops.Foreign.name);

function mapGiven<T, U>(
  given: Given<T>,
  f: (each: T, name: string) => U,
): Record<string, U | U[] | undefined> {
  return Object.fromEntries(
    Object.entries(given).map(([name, each]) => [
      name,
      Array.isArray(each)
        ? each.map((item: T) => f(item, name))
        : each === undefined
          ? undefined
          : f(each as T, name),
    ]),
  );
}

const flat = <T>(op: Op, slots: 'inputs' | 'outputs', given: Given<T>): (T | undefined)[] =>
  Object.keys(op[slots]).flatMap((name) =>
    op[slots][name]!.arity === 'many'
      ? ((given[name] ?? []) as T[])
      : [given[name] as T | undefined],
  );

function resultCount(op: Op, example: Example): number {
  return flat(op, 'outputs', example.outputs).filter((each) => each !== undefined).length;
}

/** A node of the operator over values that `make` makes from the example's tensors. */
function nodeOf<T>(
  op: Op,
  given: Given<T>,
  attrs: Example['attrs'],
  count: number,
  make: (graph: Graph, each: T, name: string) => Value,
): { graph: Graph; node: Node } {
  const graph = new Graph();
  const operands = mapGiven(given, (each, name) => make(graph, each, name));
  graph.add(op, operands as never, attrs as never, { resultCount: count });
  return { graph, node: [...graph.nodes][0]! };
}

const asInput = (graph: Graph, { dtype, shape }: Tensor, name: string): Value =>
  graph.input(name, dtype, shape);
const asConstant = (graph: Graph, tensor: Tensor, name: string): Value =>
  graph.constant(Weight.from(tensor), name);

/** What a node makes of tensors for its operands. */
async function resultsOf(
  { graph, node }: { graph: Graph; node: Node },
  tensors: readonly (Tensor | undefined)[],
): Promise<readonly Tensor[]> {
  const given = node.inputs.flatMap((value, i) => (value ? [[value, tensors[i]!] as const] : []));
  const evaluator = new Evaluator(graph, new Map(given), { wanted: node.outputs });
  return (await evaluator.step())!.outputs;
}

function difference(actual: Tensor, expected: Tensor, relative: number): string | undefined {
  if (actual.dtype !== expected.dtype || actual.shape.join() !== expected.shape.join()) {
    return `${actual.dtype}[${actual.shape.join()}] is not ${expected.dtype}[${expected.shape.join()}]`;
  }
  for (let i = 0; i < expected.data.length; i++) {
    const [a, e] = [actual.data[i]!, expected.data[i]!];
    const isNear =
      typeof a === 'number' &&
      typeof e === 'number' &&
      Math.abs(a - e) <= relative * Math.max(Math.abs(e), 1e-3);
    if (!(Object.is(a, e) || a === e || isNear))
      return `element ${i} is ${String(a)}, not ${String(e)}`;
  }
  return actual.data.length === expected.data.length
    ? undefined
    : `${actual.data.length} elements, not ${expected.data.length}`;
}

/** Why a tensor is not what inference said, where it said something. */
function contradiction(
  inferred: Value,
  tensor: Tensor,
  sizes: ReadonlyMap<string, number>,
): string | undefined {
  if (inferred.dtype !== tensor.dtype) return `inferred ${inferred}, evaluated ${tensor.dtype}`;
  const known = inferred.shape?.map((dim) => evaluateDim(dim, sizes));
  const fits =
    !known ||
    (known.length === tensor.shape.length &&
      known.every((size, i) => size === undefined || size === tensor.shape[i]));
  if (!fits) return `inferred ${inferred}, evaluated [${tensor.shape.join()}]`;
  if (sizeOf(tensor.shape) * (tensor.dtype.startsWith('complex') ? 2 : 1) !== tensor.data.length)
    return `${tensor.data.length} elements for [${tensor.shape.join()}]`;
  const elements = inferred.elements?.map((dim) => evaluateDim(dim, sizes));
  const wrong = elements?.findIndex(
    (element, i) => element !== undefined && element !== Number(tensor.data[i]),
  );
  return wrong !== undefined && wrong >= 0
    ? `element ${wrong} inferred as ${elements![wrong]}, evaluated as ${String(tensor.data[wrong])}`
    : undefined;
}

describe.each(plain.map((op) => [op.name, op] as const))('%s', (name, op) => {
  test('is in the table under its own name and has an example', () => {
    expect((ops as Record<string, unknown>)[name]).toBe(op);
    expect(op.examples.length).toBeGreaterThan(0);
    expect(op.summary).toMatch(/\.$/);
  });

  op.examples.forEach((example, index) =>
    describe(`${name} example ${index}`, () => {
      const count = resultCount(op, example);
      const tensors = flat<Tensor>(op, 'inputs', example.inputs);
      const expected = flat<Tensor>(op, 'outputs', example.outputs).filter(
        (tensor) => tensor !== undefined,
      );

      test('evaluates to the stated results, which inference foresees', async () => {
        const made = nodeOf(op, example.inputs, example.attrs, count, asInput);
        const results = await resultsOf(made, tensors);
        expect(results.length).toBe(expected.length);
        const { ulp } = op.rounding(
          mapGiven(example.inputs, ({ shape }: Tensor) => shape) as never,
          example.attrs as never,
        );
        expect(ulp).toBeGreaterThanOrEqual(0);
        expected.forEach((tensor, i) =>
          expect(
            difference(
              results[i]!,
              tensor,
              isFloat(tensor.dtype) ? Math.max(ulp, 4) * 2 ** -52 : 0,
            ),
          ).toBeUndefined(),
        );
        made.node.outputs.forEach((value, i) => {
          expect(contradiction(value, expected[i]!, new Map())).toBeUndefined();
        });
      });

      test('known elements are those that evaluation gives', () => {
        const { node } = nodeOf(op, example.inputs, example.attrs, count, asConstant);
        node.outputs.forEach((value, i) =>
          expect(contradiction(value, expected[i]!, new Map())).toBeUndefined(),
        );
      });

      test.each([
        ['operands of their type', asInput],
        ['the operands that there are', asConstant],
      ] as const)('elements lie in the range that follows from %s', (_, operand) => {
        const { graph, node } = nodeOf(op, example.inputs, example.attrs, count, operand);
        const ranges = integerRanges(graph);
        const outside = (value: Value | undefined, { data }: Tensor): readonly unknown[] => {
          const range = value && ranges.get(value)?.range;
          return range
            ? Array.from(data as ArrayLike<number | bigint>).filter(
                (each) => each < range[0] || each > range[1],
              )
            : [];
        };
        node.inputs.forEach((value, i) => value && expect(outside(value, tensors[i]!)).toEqual([]));
        node.outputs.forEach((value, i) => expect(outside(value, expected[i]!)).toEqual([]));
      });

      test('symbolic and unknown shapes pass inference', () => {
        const sizes = new Map<string, number>();
        const named = (size: number): Dim => {
          // A named dimension is at least 1.
          if (size === 0) return 0;
          const key = `d${sizes.size}`;
          sizes.set(key, size);
          return symbol(key);
        };
        const symbolic = nodeOf(
          op,
          example.inputs,
          example.attrs,
          count,
          (graph, { dtype, shape }: Tensor, operand) =>
            graph.input(operand, dtype, shape.map(named)),
        );
        symbolic.node.outputs.forEach((value, i) =>
          expect(contradiction(value, expected[i]!, sizes)).toBeUndefined(),
        );
        const unknown = nodeOf(
          op,
          example.inputs,
          example.attrs,
          count,
          (graph, { dtype }: Tensor, operand) => graph.input(operand, dtype, undefined),
        );
        unknown.node.outputs.forEach((value, i) =>
          expect(contradiction(value, expected[i]!, sizes)).toBeUndefined(),
        );
      });

      test('attributes survive JSON', () => {
        for (const [attribute, attr] of Object.entries(op.attrs)) {
          const value = example.attrs[attribute];
          const text = JSON.stringify((attr as Attr<unknown>).print(value));
          expect((attr as Attr<unknown>).parse(JSON.parse(text) as Json)).toEqual(value);
        }
        expect(Object.keys(example.attrs).sort()).toEqual(Object.keys(op.attrs).sort());
      });

      if (op.decompose) {
        test('decomposes into operators that compute the same', async () => {
          const { graph, node } = nodeOf(op, example.inputs, example.attrs, count, asInput);
          const parts = op.decompose!(
            node.operands as never,
            node.attrs as never,
            graph,
            node.regions,
          );
          const replaced = flat<Value>(op, 'outputs', parts as Given<Value>).filter(
            (value) => value !== undefined,
          );
          expect(replaced.length).toBe(expected.length);
          replaced.forEach((value, i) => {
            expect(contradiction(value, expected[i]!, new Map())).toBeUndefined();
            graph.output(`y${i}`, value);
          });
          graph.remove(node);
          expect([...graph.nodes].some((part) => part.op === op)).toBe(false);
          expect(await runPass(deadCode, graph, undefined)).toBe(0);
          const given = tensors.filter((tensor) => tensor !== undefined);
          const results = [...(await evaluate(graph, given)).values()];
          expected.forEach((tensor, i) =>
            expect(
              difference(results[i]!, tensor, isFloat(tensor.dtype) ? 1e-12 : 0),
            ).toBeUndefined(),
          );
        });
      }
    }),
  );

  const unbroken = new Set(Object.keys(op.constraints));
  test('hostile attributes and operands give typed errors, or results that inference foresees', async () => {
    const findings: string[] = [];
    for (const mutant of op.examples.flatMap((example) => [...mutants(op, example)])) {
      for (const make of [asInput, asConstant]) {
        const problem = await tryOut(op, mutant, make, unbroken);
        if (problem) findings.push(`${problem} <- ${mutant.what}`);
      }
    }
    expect(findings).toEqual([]);
  });
  for (const number of Object.keys(op.constraints)) {
    test(`${name} ${number} is refused when broken`, () => {
      if (unbroken.has(number)) breakByPairs(op, unbroken);
      expect([...unbroken]).not.toContain(number);
    });
  }
});

/** An example with one thing changed. */
interface Mutant extends Omit<Example, 'outputs'> {
  readonly what: string;
  readonly count: number;
}

/**
 * Adds the mutant to a graph and evaluates it if it is accepted. Gives what is wrong; strikes out
 * the constraint that refused it.
 */
async function tryOut(
  op: Op,
  mutant: Mutant,
  make: typeof asInput,
  unbroken: Set<string>,
): Promise<string | undefined> {
  try {
    const made = nodeOf(op, mutant.inputs, mutant.attrs, mutant.count, make);
    const results = await resultsOf(made, flat<Tensor>(op, 'inputs', mutant.inputs));
    return made.node.outputs
      .map((value, i) => contradiction(value, results[i]!, new Map()))
      .find((problem) => problem !== undefined);
  } catch (error) {
    if (!(error instanceof DroverError))
      return `${String(error)} ${(error as Error).stack?.split('\n')[1]}`;
    strike(op, error, unbroken);
    return undefined;
  }
}

function strike(op: Op, error: DroverError, unbroken: Set<string>): void {
  const number = new RegExp(`breaks ${op.name} (C\\d+):`).exec(error.message)?.[1];
  if (number) unbroken.delete(number);
}

/**
 * Changes two things at once, for constraints that one change cannot break without breaking an
 * earlier one.
 */
function breakByPairs(op: Op, unbroken: Set<string>): void {
  for (const example of op.examples) {
    for (const first of mutants(op, example)) {
      for (const second of mutants(op, { ...first, outputs: example.outputs })) {
        if (unbroken.size === 0) return;
        try {
          nodeOf(op, second.inputs, second.attrs, second.count, asInput);
        } catch (error) {
          strike(op, error as DroverError, unbroken);
        }
      }
    }
  }
}

function* mutants(op: Op, example: Example): Generator<Mutant> {
  const count = resultCount(op, example);
  for (const attribute of Object.keys(op.attrs as Attrs)) {
    for (const value of otherValues(example.attrs[attribute])) {
      yield {
        what: `${attribute}: ${JSON.stringify(value)}`,
        inputs: example.inputs,
        attrs: { ...example.attrs, [attribute]: value },
        count,
      };
    }
  }
  for (const [name, { arity, dtypes }] of Object.entries(op.inputs as Operands)) {
    const given = example.inputs[name];
    const replace = (what: string, operand: Tensor | readonly Tensor[] | undefined): Mutant => {
      const others = Object.entries(example.inputs).filter(([other]) => other !== name);
      return {
        what: `${name} ${what}`,
        inputs: Object.fromEntries([...others, ...(operand ? [[name, operand] as const] : [])]),
        attrs: example.attrs,
        count,
      };
    };
    if (given === undefined) {
      for (const dtype of dtypes.slice(0, 3))
        for (const shape of [[], [1], [3]])
          yield replace(`given as ${dtype}[${shape.join()}]`, filled(dtype, shape, [1]));
    } else if (arity === 'many') {
      const list = given as readonly Tensor[];
      yield replace('none', []);
      yield replace('one less', list.slice(1));
      if (list.length === 0) continue;
      yield replace('one more', [...list, list[0]!]);
      for (const [what, other] of otherTensors(list[0]!, dtypes))
        yield replace(`first ${what}`, [other, ...list.slice(1)]);
    } else {
      if (arity === 'optional') yield replace('absent', undefined);
      for (const [what, other] of otherTensors(given as Tensor, dtypes)) yield replace(what, other);
    }
  }
}

function* otherTensors(
  { dtype, shape, data }: Tensor,
  dtypes: readonly DType[],
): Generator<readonly [string, Tensor]> {
  for (const other of dtypes)
    if (other !== dtype && bitsOf(other) > 0 === bitsOf(dtype) > 0)
      yield [other, filled(other, shape, data as ArrayLike<number>)];
  const shapes = [
    [],
    [...shape, 1],
    [1, ...shape],
    [...shape, 2],
    shape.slice(1),
    shape.slice(0, -1),
    shape.map(() => 1),
    shape.map(() => 0),
  ];
  shape.forEach((size, axis) =>
    [size + 1, size + 2, size * 2, 0, 1, 7].forEach((other) =>
      shapes.push(shape.map((d, i) => (i === axis ? other : d))),
    ),
  );
  for (const other of shapes)
    if (other.join() !== shape.join())
      yield [`[${other.join()}]`, filled(dtype, other, data as ArrayLike<number>)];
  if (/^u?int/.test(dtype)) {
    for (const value of [-1, 0, 1, 5, 100]) yield [`all ${value}`, filled(dtype, shape, [value])];
  }
}

/** A tensor with the given elements over and over, fitted to the type. */
function filled(
  dtype: DType,
  shape: readonly number[],
  values: ArrayLike<number | bigint | string>,
): Tensor {
  const source = values.length > 0 ? Array.from(values) : [0];
  const range = intRange(dtype);
  const fit = (value: number | bigint | string) => {
    if (dtype === 'string') return String(value);
    if (!range) return dtype === 'bool' ? Number(Boolean(value)) : Number(value);
    const integer = BigInt(Number.isFinite(Number(value)) ? Math.trunc(Number(value)) : 0);
    return integer < range[0] ? range[0] : integer > range[1] ? range[1] : integer;
  };
  const pair = dtype.startsWith('complex') ? 2 : 1;
  return tensor(
    dtype,
    shape,
    Array.from({ length: sizeOf(shape) * pair }, (_, i) => fit(source[i % source.length]!)),
  );
}

function otherValues(value: unknown): unknown[] {
  if (typeof value === 'boolean') return [!value];
  if (typeof value === 'number')
    return [-1, 0, 1, 2, 3, 7, value + 1, 0.5, NaN, Infinity].filter(
      (other) => !Object.is(other, value),
    );
  if (typeof value === 'string')
    return ['', 'none', 'int4', 'uint8', 'float32', 'complex64', 'float8e4m3fn', 'int64'].filter(
      (other) => other !== value,
    );
  if (value === null) return [-1, 0, 1, 7, 0.5, NaN, [], [1], [1, 1], [-1]];
  if (!Array.isArray(value)) return [null, 3, 'x', symbol('?data')];
  const list = value as unknown[];
  const single = list.flatMap((each, i) =>
    otherValues(each).map((other) => list.map((old, k) => (k === i ? other : old))),
  );
  return [
    null,
    [],
    [symbol('?data')],
    list.slice(1),
    [...list, list[0] ?? 0],
    [...list, 1],
    [...list].reverse(),
    ...single,
  ];
}
