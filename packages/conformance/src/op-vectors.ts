import { readdirSync, readFileSync } from 'node:fs';
import {
  bindInputs,
  decodeTensor,
  Evaluator,
  isInt,
  tensor,
  toNumbers,
  type DType,
  type Graph,
  type Tensor,
} from '@drover/core';
import { epsilonOf, precisionOf } from '@drover/core/format';

/** A tensor of a case of fixtures/ops, as stored. */
export interface StoredTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Base64 of the little-endian elements; texts as a list. */
  readonly data: string | readonly string[];
}

/** A case of fixtures/ops (fixtures/README.md). */
export interface VectorCase<Model> {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly StoredTensor[];
  readonly outputs: readonly StoredTensor[];
  readonly model: Model;
  readonly oracle: string;
  /** Output to ranges of elements that the framework leaves undefined. */
  readonly undefined?: Readonly<Record<string, readonly (readonly [number, number])[]>>;
}

const fixtures = new URL('../../../fixtures/ops/', import.meta.url);

/** The cases of a framework, by family of operators. */
export function vectorFamilies<Model>(
  framework: string,
): readonly (readonly [family: string, cases: readonly VectorCase<Model>[]])[] {
  const folder = new URL(`${framework}/`, fixtures);
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => [
      file.replace('.json', ''),
      (JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as { cases: VectorCase<Model>[] })
        .cases,
    ]);
}

/** The tensor of a stored one. */
export function decodeVector({ dtype, shape, data }: StoredTensor): Tensor {
  if (typeof data !== 'string') return tensor('string', shape, data);
  return decodeTensor(new Uint8Array(Buffer.from(data, 'base64')), dtype, shape);
}

/**
 * Why a result is not the stored one, or undefined. Floats may be `ulp` units in the last place of
 * the largest magnitude apart (of the output, or `largest` where the operands were larger), codes
 * of quantisation one code where `ulp` is not 0; NaN and infinities must stand where they stand.
 */
export function mismatch(
  actual: Tensor | undefined,
  stored: StoredTensor,
  ulp: number,
  { largest = 0, ranges = [] as readonly (readonly [number, number])[] } = {},
): string | undefined {
  const expected = decodeVector(stored);
  if (!actual) return `${stored.name} is missing`;
  if (actual.dtype !== expected.dtype || actual.shape.join() !== expected.shape.join()) {
    return `${stored.name} is ${actual.dtype}[${actual.shape.join()}], not ${expected.dtype}[${expected.shape.join()}]`;
  }
  if (expected.dtype === 'string')
    return (actual.data as readonly string[]).join('\n') ===
      (expected.data as readonly string[]).join('\n')
      ? undefined
      : 'texts differ';
  const [a, e] = [toNumbers(actual), toNumbers(expected)];
  const scale = e.reduce(
    (most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most),
    largest,
  );
  const precision = precisionOf(expected.dtype);
  const bound = isInt(expected.dtype)
    ? Number(ulp > 0 && expected.dtype !== 'int64')
    : ulp * (precision ? epsilonOf(precision) : 0) * scale;
  const isUndefined = (i: number) => ranges.some(([begin, end]) => i >= begin && i < end);
  const at = e.findIndex(
    (x, i) => !(Object.is(a[i], x) || Math.abs(a[i]! - x) <= bound || isUndefined(i)),
  );
  return at < 0
    ? undefined
    : `${stored.name}: element ${at} is ${a[at]}, not ${e[at]} (within ${bound})`;
}

/**
 * Results of the reference, what its operators may lose together in ULP, and the largest magnitude
 * that a value had on the way.
 */
export async function evaluateWithAllowance(
  graph: Graph,
  inputs: readonly Tensor[],
): Promise<{ outputs: ReadonlyMap<string, Tensor>; ulp: number; largest: number }> {
  let [ulp, largest] = [0, 0];
  const results = await new Evaluator(graph, bindInputs(graph, inputs)).run((step) => {
    if (step.path.length > 0) return;
    ulp += step.rounding.ulp;
    if (step.rounding.of === 'one') largest = Math.max(largest, 1);
    for (const made of step.outputs) {
      if (made.dtype.startsWith('float'))
        for (const x of toNumbers(made))
          if (Number.isFinite(x)) largest = Math.max(largest, Math.abs(x));
    }
  });
  return {
    outputs: new Map(graph.outputs.map(({ name }, i) => [name, results[i]!])),
    ulp,
    largest,
  };
}
