import { readdirSync, readFileSync } from 'node:fs';
import { evaluate } from '../evaluate/evaluate.js';
import { Evaluator } from '../evaluate/evaluator.js';
import { Graph } from '../graph/graph.js';
import { flatten } from '../graph/node.js';
import type { Value } from '../graph/value.js';
import { roundingAllowance } from './rounding-allowance.js';
import { isStatic } from '../tensor/dim.js';
import type { DType } from '../tensor/dtype.js';
import { decodeTensor, toNumbers, type Tensor } from '../tensor/tensor.js';
import type { Op } from './define-op.js';
import { ops, type OpName } from './ops.js';

interface StoredTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: string;
}

interface Case {
  readonly name: string;
  readonly op: OpName;
  readonly oracle: string;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly inputs: readonly StoredTensor[];
  readonly outputs: readonly StoredTensor[];
}

const folder = new URL('./testdata/', import.meta.url);
const load = (file: string) =>
  (JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as { readonly cases: readonly Case[] })
    .cases;
const decode = ({ dtype, shape, data }: StoredTensor): Tensor =>
  decodeTensor(
    Uint8Array.from(atob(data), (c) => c.charCodeAt(0)),
    dtype,
    shape,
  );

/** Where results and vectors are further apart than rounding explains. */
function worst(
  actual: Tensor,
  expected: Tensor,
  allowance: Float64Array | undefined,
): string | undefined {
  if (actual.dtype !== expected.dtype || actual.shape.join() !== expected.shape.join())
    return `${actual.dtype}[${actual.shape.join()}] is not ${expected.dtype}[${expected.shape.join()}]`;
  const [a, e] = [toNumbers(actual), toNumbers(expected)];
  const at = e.findIndex(
    (x, i) => !(Object.is(a[i], x) || Math.abs(a[i]! - x) <= (allowance?.[i] ?? 0)),
  );
  return at < 0
    ? undefined
    : `element ${at} is ${a[at]}, not ${e[at]} (within ${allowance?.[at] ?? 0})`;
}

/**
 * Entries by the operand that they are for: those named `operand:0`, `operand:1`, … are one list.
 */
function byOperand<T>(entries: readonly (readonly [string, T])[]): Record<string, T | T[]> {
  const found: Record<string, T | T[]> = {};
  for (const [name, each] of entries) {
    const [operand, index] = name.split(':') as [string, string | undefined];
    if (index === undefined) found[operand] = each;
    else found[operand] = [...((found[operand] ?? []) as T[]), each];
  }
  return found;
}

describe.each(readdirSync(folder).map((file) => [file.replace('.test.json', ''), file] as const))(
  '%s',
  (_, file) => {
    test.each(load(file).map((each) => [each.name, each] as const))(
      '%s',
      async (_, { op: name, attrs, inputs, outputs }) => {
        const op = ops[name] as unknown as Op;
        const tensors = Object.fromEntries(inputs.map((each) => [each.name, decode(each)]));
        const graph = new Graph();
        const values = byOperand(
          Object.entries(tensors).map(([operand, { dtype, shape }]) => [
            operand,
            graph.input(operand, dtype, shape),
          ]),
        );
        graph.add(op, values as never, attrs as never);
        const node = [...graph.nodes][0]!;
        const given = new Map(graph.inputs.map((input) => [input, tensors[input.name]!]));
        const step = await new Evaluator(graph, given, { wanted: node.outputs }).step();
        const results = step!.outputs;
        const allowances = results.map((result) => roundingAllowance(step!.rounding, result));
        const names = Object.keys(op.outputs);
        for (const output of outputs) {
          const [result, place] = output.name.split(':');
          const index = names.indexOf(result!) + Number(place ?? 0);
          expect(worst(results[index]!, decode(output), allowances[index])).toBeUndefined();
          const inferred = node.outputs[index]!;
          expect(inferred.shape && isStatic(inferred.shape) && inferred.shape).toEqual(
            output.shape,
          );
        }
        if (!op.decompose) return;
        const parts = flatten<Value>(
          op.outputs,
          op.decompose(node.operands, node.attrs, graph, node.regions),
        );
        parts.forEach((value, i) => value && graph.output(names[i]!, value));
        graph.remove(node);
        const decomposed = await evaluate(
          graph,
          graph.inputs.map((input) => tensors[input.name]!),
        );
        for (const output of outputs)
          expect(
            worst(
              decomposed.get(output.name)!,
              decode(output),
              allowances[names.indexOf(output.name)],
            ),
          ).toBeUndefined();
      },
    );
  },
);
