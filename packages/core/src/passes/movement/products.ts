import { matMul } from '../../ops/mat-mul.js';
import { reshape } from '../../ops/reshape.js';
import { sameDim, sameShape } from '../../tensor/dim.js';
import { madeBy } from '../recognise/pattern.js';
import { isOutput, replaceBy, type Rule } from './replacement.js';
import { reshapeTarget } from './reshape-target.js';

/**
 * The product of all rows with a matrix, between a reshape to two dimensions and one to more, is a
 * product of as many.
 */
export const liftProduct: Rule = (graph, node) => {
  const product = node.is(reshape) ? madeBy(node.inputs[0], matMul) : undefined;
  const [result] = node.outputs;
  if (!product || product.results.y.users.size !== 1 || isOutput(graph, product.results.y))
    return false;
  const { a, b } = product.operands;
  const from = madeBy(a, reshape)?.operands.x;
  if (!from || a.rank !== 2 || b.shape?.length !== 2 || !result?.shape || result.shape.length < 3)
    return false;
  const [depth, columns] = b.shape;
  const rows = [...result.shape.slice(0, -1), depth!];
  const target = reshapeTarget(rows);
  if (!sameDim(result.shape.at(-1)!, columns!) || !target) return false;
  const x =
    from.shape && sameShape(from.shape, rows)
      ? from
      : graph.add(
          reshape,
          { x: from },
          { shape: target },
          { name: a.name, origin: a.producer!.origin },
        ).y;
  if (x !== from) x.type = { ...x.type, shape: rows };
  const { y } = graph.add(
    matMul,
    { a: x, b },
    {},
    { name: product.name, origin: product.origin, outputs: [result.name] },
  );
  y.origin = result.origin;
  return replaceBy(graph, node, y);
};
