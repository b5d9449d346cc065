import type { SourceNode } from './source-node.js';

/**
 * A non-negative axis of a value, from one that may count from the end. Throws `onnx/graph` when
 * there is no such axis.
 */
export function axisOf(node: SourceNode, axis: number, rank: number | undefined): number {
  if (rank !== undefined && (axis >= rank || axis < -rank))
    throw node.malformed(`axis ${axis} is none of the ${rank} of its operand`);
  if (axis >= 0) return axis;
  if (rank === undefined)
    throw node.unsupported(`it counts axis ${axis} from the end of a value of unknown rank`);
  return axis + rank;
}
