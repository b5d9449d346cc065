import type { Node } from '../../graph/node.js';
import type { Value } from '../../graph/value.js';
import { add } from '../../ops/add.js';
import { mul } from '../../ops/mul.js';
import { relu } from '../../ops/relu.js';
import { sigmoid } from '../../ops/sigmoid.js';
import { softplus } from '../../ops/softplus.js';
import { softsign } from '../../ops/softsign.js';
import { sub } from '../../ops/sub.js';
import { tanh } from '../../ops/tanh.js';
import type { ActivationName } from '../../typing/recurrence.js';
import type { Weight } from '../../tensor/weight.js';
import { affineForm, columns, splitPart, type AffineForm } from './affine.js';
import { bothOrders, isScalar, madeBy } from './pattern.js';

/**
 * The parameters of a gate: those of the input [features, size], of the state [size, size], and
 * biases [size] of either.
 */
export interface Gate {
  readonly w: Weight;
  readonly r: Weight;
  readonly wb: Weight | undefined;
  readonly rb: Weight | undefined;
}

/** What a step of a recurrent operator computes, gates in core's order. */
export interface Cell {
  readonly kind: 'LSTM' | 'GRU' | 'RNN';
  readonly gates: readonly Gate[];
  readonly activations: readonly ActivationName[];
  readonly linearBeforeReset: boolean;
}

/** An activation of a value, or of its columns from `start` on. */
interface Activated {
  readonly name: ActivationName;
  readonly x: Value;
  readonly start?: number;
  readonly size?: number;
}

/**
 * The activation that makes a value, among those without parameters; gates may share one and be
 * split after it.
 */
function activated(value: Value): Activated | undefined {
  const part = splitPart(value);
  const whole = part && activated(part.of);
  const size = value.shape?.[1];
  if (part)
    return whole && whole.start === undefined && typeof size === 'number'
      ? { ...whole, start: part.start, size }
      : undefined;
  const node = value.producer;
  const known = {
    Relu: relu,
    Sigmoid: sigmoid,
    Softplus: softplus,
    Softsign: softsign,
    Tanh: tanh,
  } as const;
  const name = (Object.keys(known) as (keyof typeof known)[]).find((each) => node?.is(known[each]));
  return name && { name, x: node!.inputs[0]! };
}

/** What is activated, as a sum. */
function activatedForm({ x, start, size }: Activated): AffineForm {
  const form = affineForm(x);
  return (
    (start === undefined ? form : columns(form, start, size!)) ?? {
      products: [],
      constants: [],
      rest: [x],
    }
  );
}

/** The products that a value is the sum of, each as its two factors. */
function twoProducts(value: Value): readonly (readonly [Node, Node])[] {
  const sum = madeBy(value, add);
  return (sum ? bothOrders(sum as Node) : []).flatMap(([a, b]) => {
    const [first, second] = [madeBy(a, mul), madeBy(b, mul)];
    return first && second ? [[first as Node, second as Node] as const] : [];
  });
}

/** The other factor of a product with a value. */
function factorWith(product: Node, value: Value): Value | undefined {
  return bothOrders(product).find(([a]) => a === value)?.[1];
}

/** A gate that is a sum of x times a matrix, the state times a matrix, and constants. */
function gateOf(form: AffineForm, x: Value, state: Value): Gate | undefined {
  const [input, recurrent] = [
    form.products.filter(({ of }) => of === x),
    form.products.filter(({ of }) => of === state),
  ];
  const isWhole =
    form.rest.length === 0 &&
    form.products.length === 2 &&
    input.length === 1 &&
    recurrent.length === 1 &&
    form.constants.length <= 2;
  return isWhole
    ? { w: input[0]!.matrix, r: recurrent[0]!.matrix, wb: form.constants[0], rb: form.constants[1] }
    : undefined;
}

/** h' = o * g2(c'), c' = f * c + i * g(…). */
export function lstmCell(
  x: Value,
  h: Value,
  c: Value,
  nextH: Value,
  nextC: Value,
): Cell | undefined {
  const output = madeBy(nextH, mul);
  for (const [gate, shown] of output ? bothOrders(output as Node) : []) {
    const [o, last] = [activated(gate), activated(shown)];
    if (!o || last?.x !== nextC) continue;
    for (const [kept, added] of twoProducts(nextC)) {
      const forget = factorWith(kept, c);
      const f = forget && activated(forget);
      for (const [a, b] of bothOrders(added)) {
        const [i, g] = [activated(a), activated(b)];
        if (!f || !i || !g || i.name !== f.name || f.name !== o.name) continue;
        const gates = [i, o, f, g].map((each) => gateOf(activatedForm(each), x, h));
        if (gates.every((each) => each !== undefined))
          return {
            kind: 'LSTM',
            gates,
            activations: [f.name, g.name, last.name],
            linearBeforeReset: false,
          };
      }
    }
  }
  return undefined;
}

/** The candidate of a GRU: g(W x + r * (R h + b)), or g(W x + R (r * h)). */
function candidate(
  fresh: Activated,
  x: Value,
  h: Value,
  name: ActivationName,
): { readonly gate: Gate; readonly reset: Value; readonly linear: boolean } | undefined {
  const { products, constants, rest } = activatedForm(fresh);
  const input = products.find(({ of }) => of === x);
  if (!input) return undefined;
  const isReset = (each: Value) => activated(each)?.name === name;
  const [product] = rest;
  if (rest.length === 1 && products.length === 1 && constants.length <= 1) {
    for (const [reset, past] of madeBy(product, mul) ? bothOrders(product!.producer!) : []) {
      const inner = affineForm(past);
      const [recurrent] = inner.products;
      if (
        !isReset(reset) ||
        inner.rest.length > 0 ||
        inner.products.length !== 1 ||
        recurrent?.of !== h ||
        inner.constants.length > 1
      )
        continue;
      return {
        gate: { w: input.matrix, r: recurrent.matrix, wb: constants[0], rb: inner.constants[0] },
        reset,
        linear: true,
      };
    }
  }
  const other = products.find((each) => each !== input);
  const masked = other && madeBy(other.of, mul);
  const reset = masked && factorWith(masked as Node, h);
  if (rest.length > 0 || products.length !== 2 || constants.length > 2 || !reset || !isReset(reset))
    return undefined;
  return {
    gate: { w: input.matrix, r: other.matrix, wb: constants[0], rb: constants[1] },
    reset,
    linear: false,
  };
}

/** h' = (1 - z) * n + z * h. */
export function gruCell(x: Value, h: Value, next: Value): Cell | undefined {
  for (const [kept, added] of twoProducts(next)) {
    const update = factorWith(kept, h);
    const z = update && activated(update);
    const zGate = z && gateOf(activatedForm(z), x, h);
    if (!z || !zGate) continue;
    for (const [rest, fresh] of bothOrders(added)) {
      const complement = madeBy(rest, sub);
      const n = activated(fresh);
      if (
        !complement ||
        !isScalar(complement.operands.a, 1) ||
        complement.operands.b !== update ||
        !n
      )
        continue;
      const found = candidate(n, x, h, z.name);
      const rGate = found && gateOf(activatedForm(activated(found.reset)!), x, h);
      if (rGate)
        return {
          kind: 'GRU',
          gates: [zGate, rGate, found.gate],
          activations: [z.name, n.name],
          linearBeforeReset: found.linear,
        };
    }
  }
  return undefined;
}

/** h' = f(W x + R h + b). */
export function rnnCell(x: Value, h: Value, next: Value): Cell | undefined {
  const f = activated(next);
  const gate = f && gateOf(activatedForm(f), x, h);
  return gate && { kind: 'RNN', gates: [gate], activations: [f.name], linearBeforeReset: false };
}
