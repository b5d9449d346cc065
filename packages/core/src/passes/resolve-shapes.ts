import { isDataDependent, type Graph } from '../graph/graph.js';
import { Weight } from '../tensor/weight.js';
import type { Value } from '../graph/value.js';
import { cast } from '../ops/cast.js';
import { dims } from '../ops/dims.js';
import { reshape } from '../ops/reshape.js';
import { isStatic } from '../tensor/dim.js';
import { tensor } from '../tensor/tensor.js';
import { definePass } from './define-pass.js';

/**
 * The elements of a value as data of their own: a constant when all are numbers, else a Dims node;
 * undefined when they are not known.
 */
function asData(
  graph: Graph,
  { dtype, shape, elements, name, producer, origin }: Value,
): Value | undefined {
  if (!elements || !shape || !isStatic(shape) || elements.some(isDataDependent)) return undefined;
  const numbers = elements.filter((dim) => typeof dim === 'number');
  if (numbers.length === elements.length)
    return graph.constant(Weight.from(tensor(dtype, shape, numbers)), name, origin);
  if (graph.parent !== undefined) return undefined;
  const options = { name, origin: producer!.origin };
  let value = graph.add(dims, {}, { values: elements }, options).y;
  if (shape.length !== 1) value = graph.add(reshape, { x: value }, { shape }, options).y;
  return dtype === 'int64' ? value : graph.add(cast, { x: value }, { to: dtype }, options).y;
}

/**
 * Shape arithmetic disappears: an integer tensor whose elements are known becomes a constant, or
 * the sizes of named dimensions as data.
 *
 *     %s = Shape(%x); %n = Gather(%s, 0) {axis: 0}; %c = Concat(%n, 64) {axis: 0};
 *       %y = Reshape(%x, %c) // x: [N, 8, 8]
 *     %y = Reshape(%x) {shape: ["N", 64]}
 */
export const resolveShapes = definePass(
  'resolve-shapes',
  ['names', 'layout', 'composites'],
  (graph) => {
    let edits = 0;
    for (const node of graph.sorted()) {
      if (node.op.name === 'Dims' || Object.keys(node.regions).length > 0) continue;
      for (const value of node.outputs) {
        const isUsed =
          value.users.size > 0 || graph.outputs.some((output) => output.value === value);
        const isFromDims = node.inputs.length === 1 && node.inputs[0]?.producer?.op.name === 'Dims';
        if (!isUsed || isFromDims) continue;
        const data = asData(graph, value);
        if (!data) continue;
        graph.replaceUses(value, data);
        edits++;
      }
    }
    return edits;
  },
);
