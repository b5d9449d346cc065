import { buildEinsum } from '../building/einsum.js';
import { mayEqual, sameDType } from '../constraints/same-type.js';
import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { knownShape } from '../graph/graph.js';
import { einsumOf } from '../numeric/einsum.js';
import type { Dim, Shape } from '../tensor/dim.js';
import { numberTypes } from '../tensor/dtype.js';
import { tensor } from '../tensor/tensor.js';
import { broadcastShapes } from '../typing/broadcast.js';
import { readSubscripts, type Subscripts } from '../typing/subscripts.js';
import { text } from './attr.js';
import { defineOp, many, one } from './define-op.js';
import { labelled } from './layout.js';
import { exact, ofTerms } from './rounding.js';

/**
 * The size of each label, which operands that have 1 under it broadcast to; undefined for one of
 * which two sizes do not fit.
 */
function labelSizes(
  { operands }: Subscripts,
  shapes: readonly (Shape | undefined)[],
): Map<string, Dim | undefined> {
  const sizes = new Map<string, Dim | undefined>();
  operands.forEach((labels, i) =>
    labels.forEach((label, axis) => {
      const dim = shapes[i]?.[axis];
      if (dim === undefined) return;
      const known = sizes.has(label) ? sizes.get(label) : 1;
      sizes.set(label, known === undefined ? undefined : broadcastShapes([known], [dim])?.[0]);
    }),
  );
  return sizes;
}

const ranksOf = (shapes: readonly (Shape | undefined)[]) => shapes.map((shape) => shape?.length);

/** Products of elements of several tensors, summed over indices (Einstein's notation). */
export const einsum = defineOp({
  name: 'Einsum',
  summary:
    'The products of the elements of the operands, summed over the indices that the result does not have, as an equation such as `bij,bjk->bik` says. `...` stands for further dimensions, which broadcast.',
  inputs: { inputs: many(...numberTypes) },
  outputs: { y: one(...numberTypes) },
  attrs: { equation: text() },
  constraints: {
    C1: { says: 'the operands have one element type', holds: ({ inputs }) => sameDType(...inputs) },
    C2: {
      says: 'the equation has a term for each operand and a label for each of its dimensions',
      holds: ({ inputs }, { equation }) => {
        const shapes = inputs.map(({ shape }) => shape);
        const isOpen = equation.includes('...') && shapes.includes(undefined);
        return (
          inputs.length > 0 && (isOpen || readSubscripts(equation, ranksOf(shapes)) !== undefined)
        );
      },
    },
    C3: {
      says: 'dimensions under one label are equal or 1, and equal within an operand',
      holds: ({ inputs }, { equation }) => {
        const shapes = inputs.map(({ shape }) => shape);
        const subscripts = readSubscripts(equation, ranksOf(shapes));
        if (!subscripts) return true;
        const isSame = (labels: readonly string[], shape: Shape | undefined) =>
          !shape ||
          labels.every((label, axis) => mayEqual(shape[axis]!, shape[labels.indexOf(label)]!));
        return (
          ![...labelSizes(subscripts, shapes).values()].includes(undefined) &&
          subscripts.operands.every((labels, i) => isSame(labels, shapes[i]))
        );
      },
    },
  },
  infer: ({ inputs }, { equation }, { fresh }) => {
    const shapes = inputs.map(({ shape }) => shape);
    const subscripts = readSubscripts(equation, ranksOf(shapes));
    if (!subscripts) return { y: { dtype: inputs[0]!.dtype, shape: undefined } };
    const sizes = labelSizes(subscripts, shapes);
    return {
      y: {
        dtype: inputs[0]!.dtype,
        shape: subscripts.result.map((label) => sizes.get(label) ?? fresh('einsum')),
      },
    };
  },
  evaluate: ({ inputs }, { equation }) => {
    const shapes = inputs.map(({ shape }) => shape);
    const subscripts = readSubscripts(equation, ranksOf(shapes));
    if (!subscripts || [...labelSizes(subscripts, shapes).values()].includes(undefined)) {
      throw coreDiagnostics.error('invalid-shape', {
        message: `${equation} does not fit ${shapes.map((shape) => `[${shape.join(', ')}]`).join(' and ')}.`,
        origin: { file: '' },
      });
    }
    return { y: einsumOf(inputs, subscripts) };
  },
  layout: labelled,
  rounding: ({ inputs }, { equation }) => {
    const subscripts = readSubscripts(equation, ranksOf(inputs));
    if (!subscripts) return exact();
    const summed = [...labelSizes(subscripts, inputs)].filter(
      ([label]) => !subscripts.result.includes(label),
    );
    const terms = summed.reduce((product, [, size]) => product * Number(size), 1);
    return ofTerms(Math.sqrt(terms) + inputs.length);
  },
  examples: [
    {
      inputs: {
        inputs: [
          tensor('float32', [2, 3], [1, 2, 3, 4, 5, 6]),
          tensor('float32', [3, 2], [1, 0, 0, 1, 1, 1]),
        ],
      },
      attrs: { equation: 'ij, jk -> ki' },
      outputs: { y: tensor('float32', [2, 2], [4, 10, 5, 11]) },
    },
    {
      inputs: { inputs: [tensor('int64', [2, 2], [1, 2, 3, 4])] },
      attrs: { equation: 'ii' },
      outputs: { y: tensor('int64', [], [5]) },
    },
    {
      inputs: {
        inputs: [
          tensor('float64', [2, 1, 2], [1, 2, 3, 4]),
          tensor('float64', [3, 2], [1, 0, 0, 1, 1, 1]),
        ],
      },
      attrs: { equation: '...k,...k->...' },
      outputs: { y: tensor('float64', [2, 3], [1, 2, 3, 3, 4, 7]) },
    },
    {
      inputs: {
        inputs: [
          tensor('float64', [2], [1, 2]),
          tensor('float64', [2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8]),
          tensor('float64', [2, 2], [1, 0, 1, 1]),
        ],
      },
      attrs: { equation: 'a,abc,bc->ab' },
      outputs: { y: tensor('float64', [2, 2], [1, 7, 10, 30]) },
    },
    {
      inputs: {
        inputs: [
          tensor('float64', [2, 2, 1], [1, 2, 3, 4]),
          tensor('float64', [2, 1, 2], [1, 10, 100, 1000]),
        ],
      },
      attrs: { equation: 'abc,cda' },
      outputs: { y: tensor('float64', [2, 1], [3131, 4242]) },
    },
  ],
  decompose: ({ inputs }, { equation }, graph) => {
    const shapes = inputs.map(knownShape);
    const subscripts = readSubscripts(equation, ranksOf(shapes))!;
    return {
      y: buildEinsum(graph, inputs, subscripts, labelSizes(subscripts, shapes) as Map<string, Dim>),
    };
  },
});
