import { coreDiagnostics, isFloat, isInt, type DType, type Graph, type Report } from '@drover/core';
import { dtypeOf, type DataType } from '../codec/data-type.js';
import type { SignatureDef, TensorShape } from '../codec/graph-def.js';

/** What a file says of a tensor in one place. */
export interface Stated {
  readonly dtype: DataType | undefined;
  readonly shape: TensorShape | undefined;
}

const sizes = (shape: TensorShape | undefined) => shape?.dims?.map(Number);

/** Whether two shapes cannot both be right: another rank, or another size where both say one. */
function differ(
  a: readonly (number | undefined)[] | undefined,
  b: readonly (number | undefined)[] | undefined,
): boolean {
  const isOpen = (size: number | undefined) => size === undefined || size < 0;
  return (
    a !== undefined &&
    b !== undefined &&
    (a.length !== b.length || a.some((size, i) => !isOpen(size) && !isOpen(b[i]) && size !== b[i]))
  );
}

const spelled = (dtype: string | undefined, shape: readonly (number | undefined)[] | undefined) =>
  `${dtype ?? 'a tensor'}${shape ? `[${shape.map((size) => (size === undefined || size < 0 ? '?' : size)).join(', ')}]` : ''}`;

/** Types that TF.js takes for one another: it computes in float32 and int32. */
const kindOf = (dtype: DType | undefined) =>
  dtype === undefined ? undefined : isFloat(dtype) ? 'float' : isInt(dtype) ? 'int' : dtype;

/** Whether what the signature says of an input cannot be so beside its placeholder. */
export function contradictsPlaceholder(signature: Stated, placeholder: Stated): boolean {
  const { dtype, shape } = signature;
  return (
    (dtype !== undefined &&
      placeholder.dtype !== undefined &&
      kindOf(dtypeOf(dtype)) !== kindOf(dtypeOf(placeholder.dtype))) ||
    differ(sizes(shape), sizes(placeholder.shape))
  );
}

/**
 * Reports an input of the signature that its placeholder contradicts, as `core/wrong-declaration`:
 * TF.js goes by the placeholder.
 */
export function reportInput(
  name: string,
  signature: Stated,
  placeholder: Stated,
  file: string,
  report: Report,
): void {
  report.add(
    coreDiagnostics.diagnostic('wrong-declaration', {
      message: `The signature says that the input ${name} is ${spelled(signature.dtype, sizes(signature.shape))}, and its placeholder is ${spelled(placeholder.dtype, sizes(placeholder.shape))}.`,
      origin: { file, node: name },
    }),
  );
}

/**
 * Compares what the signature says of the outputs with what follows, and reports
 * `core/wrong-declaration`: TF.js does not look at it. Nothing is said of what has no known type.
 */
export function compareOutputs(
  { outputs }: SignatureDef,
  graph: Graph,
  file: string,
  report: Report,
): void {
  for (const [i, { name, dtype, shape }] of [...outputs.values()].entries()) {
    const made = graph.outputs[i]?.value;
    if (!made || made.isUntyped) continue;
    const is = made.shape?.map((dim) => (typeof dim === 'number' ? dim : undefined));
    const isTyped =
      kindOf(dtypeOf(dtype)) === undefined || kindOf(dtypeOf(dtype)) === kindOf(made.dtype);
    if (isTyped && !differ(sizes(shape), is)) continue;
    report.add(
      coreDiagnostics.diagnostic('wrong-declaration', {
        message: `The signature says that the output ${name} is ${spelled(dtype, sizes(shape))}, and it is ${spelled(made.dtype, is)}.`,
        origin: { file, node: name },
      }),
    );
  }
}
