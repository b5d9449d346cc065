import { ops, type Value } from '@drover/core';
import type { SourceNode } from './source-node.js';

/** A dimension of 1 put in at an axis; a constant only gets another handle. */
export const unsqueeze = (node: SourceNode, x: Value, axis: number, step = node.options): Value => {
  if (x.constant)
    return node.graph.constant(
      x.constant.reshape(x.constant.shape.toSpliced(axis, 0, 1)),
      x.name,
      x.origin,
    );
  return node.graph.add(ops.Unsqueeze, { x }, { axes: [axis] }, step).y;
};

/** Shapes are int32 in TensorFlow unless a node asks for int64. */
export function shapeOf(node: SourceNode, x: Value, suffix = ''): Value {
  const shape = node.graph.add(ops.Shape, { x }, {}, node.step(`shape${suffix}`)).y;
  return node.cast(shape, node.has('out_type') ? node.dtype('out_type') : 'int32', `type${suffix}`);
}
