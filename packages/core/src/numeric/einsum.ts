import { stridesOf } from '../tensor/strides.js';
import { tensor as makeTensor, sizeOf, type Tensor } from '../tensor/tensor.js';
import { contraction, keptAfter, type Subscripts } from '../typing/subscripts.js';
import { strided } from './copy.js';
import { matrixProduct } from './multiply.js';

/** A tensor whose dimensions have names. */
interface Labelled {
  readonly tensor: Tensor;
  readonly labels: readonly string[];
}

/**
 * The tensor with the named dimensions in this order; a dimension that it does not have is 1. A
 * label that it has twice walks the diagonal.
 */
function arranged({ tensor, labels }: Labelled, order: readonly string[]): Tensor {
  const strides = stridesOf(tensor.shape);
  const along = (label: string) =>
    labels.flatMap((each, axis) => (each === label ? [strides[axis]!] : []));
  return strided(
    tensor,
    order.map((label) => (labels.includes(label) ? tensor.shape[labels.indexOf(label)]! : 1)),
    order.map((label) => along(label).reduce((a, b) => a + b, 0)),
  );
}

const sizes = ({ tensor, labels }: Labelled, chosen: readonly string[]) =>
  chosen.map((label) => tensor.shape[labels.indexOf(label)] ?? 1);

/** The product of two operands, summed over what they have in common and nothing needs. */
function multiply(a: Labelled, b: Labelled, kept: ReadonlySet<string>): Labelled {
  const { batch, summed, left, right } = contraction(a.labels, b.labels, kept);
  const count = (of: Labelled, chosen: readonly string[]) => sizeOf(sizes(of, chosen));
  const x = arranged(a, [...batch, ...left, ...summed]);
  const y = arranged(b, [...batch, ...summed, ...right]);
  const product = matrixProduct(
    { ...x, shape: [count(a, batch), count(a, left), count(a, summed)] },
    { ...y, shape: [count(b, batch), count(b, summed), count(b, right)] },
  );
  const shape = [...sizes(a, batch), ...sizes(a, left), ...sizes(b, right)];
  return { tensor: { ...product, shape }, labels: [...batch, ...left, ...right] };
}

/**
 * The operand without repeated labels, without labels of size 1 that broadcast, and summed over
 * those that nothing else has.
 */
function simplified(
  { tensor, labels }: Labelled,
  broadcast: ReadonlySet<string>,
  needed: ReadonlySet<string>,
): Labelled {
  const distinct = [...new Set(labels)].filter(
    (label) => !(broadcast.has(label) && tensor.shape[labels.indexOf(label)] === 1),
  );
  const once = { tensor: arranged({ tensor, labels }, distinct), labels: distinct };
  return summedTo(
    once,
    distinct.filter((label) => needed.has(label)),
  );
}

/** The sum over the labels that are not asked for, in the order asked for. */
function summedTo(x: Labelled, order: readonly string[]): Labelled {
  const rest = x.labels.filter((label) => !order.includes(label));
  const tensor = arranged(x, [...order, ...rest]);
  const shape = tensor.shape.slice(0, order.length);
  if (rest.length === 0) return { tensor, labels: order };
  const size = sizeOf(sizes(x, rest));
  const ones = makeTensor(tensor.dtype, [size, 1], new Array<number>(size).fill(1));
  const sum = matrixProduct({ ...tensor, shape: [sizeOf(shape), size] }, ones);
  return { tensor: { ...sum, shape }, labels: order };
}

/**
 * The Einstein sum of tensors: operands are multiplied from left to right, each label summed over
 * as soon as nothing needs it.
 */
export function einsumOf(tensors: readonly Tensor[], subscripts: Subscripts): Tensor {
  const broadcast = new Set(
    subscripts.operands.flatMap((labels, i) =>
      labels.filter((_, axis) => tensors[i]!.shape[axis] !== 1),
    ),
  );
  const operands = tensors.map((tensor, i) => {
    const others = new Set([
      ...subscripts.result,
      ...subscripts.operands.filter((_, k) => k !== i).flat(),
    ]);
    return simplified({ tensor, labels: subscripts.operands[i]! }, broadcast, others);
  });
  const whole = operands.reduce((a, b, i) => multiply(a, b, keptAfter(i, subscripts)));
  return summedTo(whole, subscripts.result).tensor;
}
