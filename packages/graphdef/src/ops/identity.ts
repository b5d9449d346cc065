import { isFloat, isInt, ops } from '@drover/core';
import type { WriteRules } from '@drover/core/format';
import type { GraphWriter, Ref } from '../vocabulary/graph-writer.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';

const first: ToCore = (node) => node.input(0);

const readCast: ToCore = (node) => {
  node.ignore('Truncate');
  const to = node.dtype('DstT');
  const x = node.input(0);
  return x.dtype === to ? x : node.graph.add(ops.Cast, { x }, { to }, node.options).y;
};

const toCore = {
  Cast: readCast,
  CheckNumerics: (node) => (node.ignore('message'), node.input(0)),
  EnsureShape: (node) => (node.ignore('shape'), node.input(0)),
  Identity: first,
  IdentityN: (node) => node.inputs(),
  PlaceholderWithDefault: (node) => (node.ignore('shape'), node.input(0)),
  PreventGradient: (node) => (node.ignore('message'), node.input(0)),
  Snapshot: first,
  StopGradient: first,
} satisfies ReadRules;

/** Widths below 32 bits wrap round when integers are cast to them; the target computes in 32. */
function wrapped(writer: GraphWriter, x: Ref, dtype: string): Ref {
  const bits = Number(/\d+$/.exec(dtype)?.[0] ?? 32);
  if (bits >= 32) return x;
  const half = dtype.startsWith('u') ? 0 : 2 ** (bits - 1);
  const rest = writer.step('FloorMod', [
    writer.step('AddV2', [x, writer.scalar(x, half)]),
    writer.scalar(x, 2 ** bits),
  ]);
  return writer.step('Sub', [rest, writer.scalar(x, half)]);
}

const fromCore = {
  Cast: (node, writer) => {
    const { x } = node.operands;
    const { to } = node.attrs;
    const cast = writer.cast(x, to);
    const narrows =
      isInt(to) &&
      to !== writer.typeOf(to) &&
      !/64$/.test(to) &&
      x.dtype !== 'bool' &&
      !isFloat(x.dtype);
    writer.set(node.outputs[0]!, narrows ? wrapped(writer, cast, to) : cast);
  },
} satisfies Partial<WriteRules<GraphWriter>>;

/** Operators that pass values on or only change their type, both directions. */
export const identity = { toCore, fromCore };
