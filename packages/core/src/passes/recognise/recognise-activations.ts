import type { Graph } from '../../graph/graph.js';
import type { Node } from '../../graph/node.js';
import type { Value } from '../../graph/value.js';
import { add } from '../../ops/add.js';
import { clip } from '../../ops/clip.js';
import { div } from '../../ops/div.js';
import { erf } from '../../ops/erf.js';
import { gelu } from '../../ops/gelu.js';
import { hardSigmoid } from '../../ops/hard-sigmoid.js';
import { hardSwish } from '../../ops/hard-swish.js';
import { mul } from '../../ops/mul.js';
import { pow } from '../../ops/pow.js';
import { tanh } from '../../ops/tanh.js';
import { definePass } from '../define-pass.js';
import { bothOrders, factorsOf, isScalar, madeBy, scalarOf } from './pattern.js';

/** The operand of `value` = operand * factor, written as a product or a quotient. */
function scaled(value: Value, factor: number): Value | undefined {
  const product = madeBy(value, mul);
  if (product) for (const [x, c] of bothOrders(product)) if (isScalar(c, factor)) return x;
  const quotient = madeBy(value, div);
  return quotient && isScalar(quotient.operands.b, 1 / factor) ? quotient.operands.a : undefined;
}

/** The operand of `value` = operand + term. */
function plus(value: Value, term: number): Value | undefined {
  const sum = madeBy(value, add);
  for (const [x, c] of sum ? bothOrders(sum) : []) if (isScalar(c, term)) return x;
  return undefined;
}

/** x, if a value is 1 + erf(x / sqrt(2)). */
function erfTerm(value: Value): Value | undefined {
  const inner = plus(value, 1);
  const node = madeBy(inner, erf);
  return node && scaled(node.operands.x, Math.SQRT1_2);
}

/** x, if a value is 1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)). */
function tanhTerm(value: Value): Value | undefined {
  const node = madeBy(plus(value, 1), tanh);
  const inner = node && scaled(node.operands.x, Math.sqrt(2 / Math.PI));
  const sum = madeBy(inner, add);
  for (const [x, cubic] of sum ? bothOrders(sum) : []) {
    const cube = scaled(cubic, 0.044715);
    if (cube && isCube(cube, x)) return x;
  }
  return undefined;
}

function isCube(value: Value, x: Value): boolean {
  const power = madeBy(value, pow);
  if (power) return power.operands.a === x && isScalar(power.operands.b, 3);
  const outer = madeBy(value, mul);
  return (
    outer !== undefined &&
    bothOrders(outer).some(
      ([a, b]) => a === x && madeBy(b, mul)?.inputs.every((each) => each === x) === true,
    )
  );
}

/** The factors of a product apart from its constants, and the product of those. */
function split(factors: readonly Value[]): {
  readonly constant: number;
  readonly rest: readonly Value[];
} {
  const numbers = factors.map(scalarOf);
  return {
    constant: numbers.reduce<number>((product, number) => product * (number ?? 1), 1),
    rest: factors.filter((_, i) => numbers[i] === undefined),
  };
}

const near = (a: number, b: number) => Math.abs(a - b) <= 1e-6 * Math.abs(b);

/** A product, or a quotient of one by a constant. */
function productOf(
  node: Node,
  graph: Graph,
): { readonly constant: number; readonly rest: readonly Value[] } | undefined {
  if (node.is(mul)) return split(factorsOf(node, graph));
  if (!node.is(div)) return undefined;
  const divisor = scalarOf(node.operands.b);
  const product = madeBy(node.operands.a, mul);
  if (divisor === undefined || !product) return undefined;
  const { constant, rest } = split(factorsOf(product, graph));
  return { constant: constant / divisor, rest };
}

function recogniseProduct(node: Node, graph: Graph): Value | undefined {
  const product = productOf(node, graph);
  if (product?.rest.length !== 2) return undefined;
  const { constant, rest } = product;
  const options = { name: node.name, origin: node.origin };
  for (const [x, gate] of [rest, [...rest].reverse()] as (readonly [Value, Value])[]) {
    if (near(constant, 0.5) && erfTerm(gate) === x)
      return graph.add(gelu, { x }, { approximate: 'none' }, options).y;
    if (near(constant, 0.5) && tanhTerm(gate) === x)
      return graph.add(gelu, { x }, { approximate: 'tanh' }, options).y;
    const hard = madeBy(gate, hardSigmoid);
    if (
      hard?.operands.x === x &&
      constant === 1 &&
      near(hard.attrs.alpha, 1 / 6) &&
      hard.attrs.beta === 0.5
    )
      return graph.add(hardSwish, { x }, {}, options).y;
    const clipped = madeBy(gate, clip);
    if (
      clipped &&
      near(constant, 1 / 6) &&
      clipped.attrs.min === 0 &&
      clipped.attrs.max === 6 &&
      plus(clipped.operands.x, 3) === x
    )
      return graph.add(hardSwish, { x }, {}, options).y;
  }
  return undefined;
}

/**
 * Activations that an exporter wrote in parts become whole again: Gelu (exact and by tanh) and
 * HardSwish.
 *
 *     %d = Div(%x, 1.4142135); %e = Erf(%d); %a = Add(%e, 1); %m = Mul(%x, %a); %y = Mul(%m, 0.5)
 *     %y = Gelu(%x) {approximate: "none"}
 */
export const recogniseActivations = definePass(
  'recognise-activations',
  ['names', 'layout', 'composites'],
  (graph) => {
    let edits = 0;
    // From the end, so that the whole product is seen before its parts.
    for (const node of graph.sorted().reverse()) {
      const result = node.outputs[0]!;
      const isUsed = result.users.size > 0 || graph.outputs.some(({ value }) => value === result);
      const whole = isUsed
        ? graph.standingFor(node.origin, () => recogniseProduct(node, graph))
        : undefined;
      if (!whole) continue;
      whole.origin = node.outputs[0]!.origin;
      graph.replaceUses(node.outputs[0]!, whole);
      edits++;
    }
    return edits;
  },
);
