import type { Graph } from '../../graph/graph.js';
import type { Node } from '../../graph/node.js';
import type { Value } from '../../graph/value.js';
import { add } from '../../ops/add.js';
import { div } from '../../ops/div.js';
import { layerNormalization } from '../../ops/layer-normalization.js';
import { mul } from '../../ops/mul.js';
import { pow } from '../../ops/pow.js';
import { reciprocal } from '../../ops/reciprocal.js';
import { reduceMean } from '../../ops/reduce-mean.js';
import { sqrt } from '../../ops/sqrt.js';
import { sub } from '../../ops/sub.js';
import { definePass } from '../define-pass.js';
import { bothOrders, isScalar, madeBy, scalarOf } from './pattern.js';

/** What a standard deviation was computed of. */
interface Deviation {
  readonly x: Value;
  readonly mean: Value;
  /** First of the axes from there to the last, over which mean and variance are taken. */
  readonly axis: number;
  readonly epsilon: number;
}

function trailingAxis(node: Node<typeof reduceMean>): number | undefined {
  const { axes, keepdims } = node.attrs;
  const rank = node.operands.x.rank;
  if (rank === undefined || !keepdims || axes.length === 0) return undefined;
  const first = Math.min(...axes);
  return axes.length === rank - first ? first : undefined;
}

/** The mean that is subtracted, if a value is x - mean(x) over trailing axes. */
function centred(value: Value): { x: Value; mean: Value; axis: number } | undefined {
  const difference = madeBy(value, sub);
  const mean = madeBy(difference?.operands.b, reduceMean);
  const axis = mean && trailingAxis(mean);
  if (!difference || !mean || axis === undefined || mean.operands.x !== difference.operands.a)
    return undefined;
  return { x: difference.operands.a, mean: difference.operands.b, axis };
}

/** The operand of a square, as a product with itself or as a power. */
function squared(value: Value): Value | undefined {
  const product = madeBy(value, mul);
  if (product && product.operands.a === product.operands.b) return product.operands.a;
  const power = madeBy(value, pow);
  return power && isScalar(power.operands.b, 2) ? power.operands.a : undefined;
}

/** What a value is the standard deviation of: sqrt(mean((x - mean(x))^2) + epsilon). */
function deviationOf(value: Value): Deviation | undefined {
  const sum = madeBy(madeBy(value, sqrt)?.operands.x, add);
  for (const [variance, constant] of sum ? bothOrders(sum) : []) {
    const epsilon = scalarOf(constant);
    const mean = madeBy(variance, reduceMean);
    const difference = mean && squared(mean.operands.x);
    const found = difference && centred(difference);
    if (epsilon !== undefined && found && mean && trailingAxis(mean) === found.axis)
      return { ...found, epsilon };
  }
  return undefined;
}

/**
 * A constant in the shape of the normalised dimensions, if it has that shape apart from leading
 * ones.
 */
function parameter(graph: Graph, value: Value, { x, axis }: Deviation): Value | undefined {
  const normalised = x.shape!.slice(axis);
  if (!value.constant || !normalised.every((dim) => typeof dim === 'number')) return undefined;
  const shape = value.constant.shape;
  const leading = shape.slice(0, Math.max(0, shape.length - normalised.length));
  const fits =
    leading.every((dim) => dim === 1) && shape.slice(leading.length).join() === normalised.join();
  return fits
    ? leading.length === 0
      ? value
      : graph.constant(value.constant.reshape(normalised as number[]), value.name, value.origin)
    : undefined;
}

/** (x - mean) / deviation, as a quotient or as a product with the reciprocal. */
function plainForm(node: Node): Deviation | undefined {
  const pairs = node.is(div)
    ? [[node.operands.a, node.operands.b] as const]
    : node.is(mul)
      ? bothOrders(node).flatMap(([a, b]) =>
          madeBy(b, reciprocal) ? [[a, madeBy(b, reciprocal)!.operands.x] as const] : [],
        )
      : [];
  for (const [difference, divisor] of pairs) {
    const deviation = deviationOf(divisor);
    const found = deviation && centred(difference);
    if (found && found.x === deviation.x && found.axis === deviation.axis) return deviation;
  }
  return undefined;
}

/**
 * x * k + (bias - mean * k) with k = scale / deviation, as TensorFlow's batch normalisation formula
 * has it.
 */
function foldedForm(
  node: Node,
  graph: Graph,
): { deviation: Deviation; scale: Value | undefined; bias: Value } | undefined {
  if (!node.is(add)) return undefined;
  for (const [first, second] of bothOrders(node)) {
    const [product, shift] = [madeBy(first, mul), madeBy(second, sub)];
    const moved = shift && madeBy(shift.operands.b, mul);
    if (!product || !shift || !moved) continue;
    for (const [x, factor] of bothOrders(product)) {
      const inverse = [factor, ...(madeBy(factor, mul)?.inputs ?? [])]
        .map((value) => madeBy(value, reciprocal))
        .find((each) => each !== undefined);
      const deviation = inverse && deviationOf(inverse.operands.x);
      if (
        !deviation ||
        deviation.x !== x ||
        !bothOrders(moved).some(([mean, same]) => mean === deviation.mean && same === factor)
      )
        continue;
      const scaleValue = madeBy(factor, mul)?.inputs.find(
        (value) => value?.producer !== (inverse as Node),
      );
      const scale = scaleValue && parameter(graph, scaleValue, deviation);
      const bias = parameter(graph, shift.operands.a, deviation);
      if (bias && (scale || !scaleValue)) return { deviation, scale, bias };
    }
  }
  return undefined;
}

function normalise(
  graph: Graph,
  node: Node,
  { x, axis, epsilon }: Deviation,
  scale: Value | undefined,
  bias: Value | undefined,
): void {
  const result = node.outputs[0]!;
  const { y } = graph.add(
    layerNormalization,
    { x, scale, bias },
    { axis, epsilon },
    { name: node.name, origin: node.origin },
  );
  y.origin = result.origin;
  graph.replaceUses(result, y);
}

/** Takes a constant factor, then a constant term, that follow a normalisation into it. */
function absorb(graph: Graph, node: Node<typeof layerNormalization>): boolean {
  const result = node.results.y;
  const [user] = result.users;
  const isOnlyUse = result.users.size === 1 && !graph.outputs.some(({ value }) => value === result);
  const { x, scale, bias } = node.operands;
  if (!user || !isOnlyUse || bias || !(user.is(add) || (user.is(mul) && !scale))) return false;
  const other = user.inputs.find((value) => value !== result);
  const { axis, epsilon } = node.attrs;
  const deviation = { x, mean: x, axis, epsilon };
  const constant = other && parameter(graph, other, deviation);
  if (!constant) return false;
  normalise(
    graph,
    user,
    deviation,
    user.is(mul) ? constant : scale,
    user.is(mul) ? undefined : constant,
  );
  return true;
}

/**
 * A normalisation over trailing axes that was written in parts becomes one operator.
 *
 *     %m = ReduceMean(%x); %d = Sub(%x, %m); %v = ReduceMean(Mul(%d, %d));
 *       %n = Div(%d, Sqrt(Add(%v, 1e-5))); %y = Add(Mul(%n, %scale), %bias)
 *     %y = LayerNormalization(%x, %scale, %bias) {axis: 2, epsilon: 1e-5}
 */
export const recogniseLayerNormalization = definePass(
  'recognise-layer-normalization',
  ['names', 'layout', 'composites'],
  (graph) => {
    let edits = 0;
    for (const node of graph.sorted()) {
      if (
        node.outputs.every(
          (value) =>
            value.users.size === 0 && !graph.outputs.some((output) => output.value === value),
        )
      )
        continue;
      const plain = plainForm(node);
      const folded = plain ? undefined : foldedForm(node, graph);
      if (plain) normalise(graph, node, plain, undefined, undefined);
      else if (folded) normalise(graph, node, folded.deviation, folded.scale, folded.bias);
      else continue;
      edits++;
    }
    for (const node of graph.sorted())
      if (node.is(layerNormalization) && absorb(graph, node)) edits++;
    for (const node of graph.sorted())
      if (node.is(layerNormalization) && absorb(graph, node)) edits++;
    return edits;
  },
);
