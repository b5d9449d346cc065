import { Weight } from '@drover/core';
import { member, type JsonObject } from '../export/json-object.js';

/** Where Keras 1 has the gates of a recurrent layer, in the order in which Keras 2 joins them. */
const gates: ReadonlyMap<string, readonly number[]> = new Map([
  ['LSTMCell', [0, 2, 1, 3]],
  ['GRUCell', [0, 1, 2]],
  ['ConvLSTMCell', [0, 2, 1, 3]],
]);

/** How many weights each of Keras 2's is in Keras 1: one, or one for each gate. */
export function weightsPerVariable(className: string, config: JsonObject): number {
  const order = gates.get(className);
  return order === undefined || member(config, 'implementation') === 2 ? 1 : order.length;
}

/**
 * The weights of an object as Keras 2 has them, from those of Keras 1: gates joined, kernels in the
 * order of rows, columns, inputs and outputs, as `preprocess_weights_for_loading` of Keras 2 does;
 * kernels of Theano, which convolves in the sense of mathematics, turned round.
 *
 * @param config As Keras 2 has it.
 */
export function translateWeights(
  className: string,
  config: JsonObject,
  weights: readonly Weight[],
  isTheano: boolean,
): readonly Weight[] {
  const order = weightsPerVariable(className, config) > 1 ? gates.get(className) : undefined;
  const isFirst = member(config, 'data_format') === 'channels_first';
  const convolved = (weight: Weight, isTransposed = false) =>
    kernelOf(weight, isFirst, isTransposed, isTheano);
  if (order) {
    const isConvolution = className === 'ConvLSTMCell';
    return [0, 1, 2].map((part) => {
      const each = order.map((gate) => weights[3 * gate + part]!);
      const parts = isConvolution && part < 2 ? each.map((weight) => convolved(weight)) : each;
      return Weight.concat(parts, parts[0]!.shape.length - 1);
    });
  }
  const [kernel, ...rest] = weights;
  if (!kernel) return weights;
  if (className === 'Conv1D') return [sequenceKernel(kernel, config, isTheano), ...rest];
  if (/^Conv[23]D(Transpose)?$/.test(className))
    return [convolved(kernel, className.endsWith('Transpose')), ...rest];
  return weights;
}

function kernelOf(
  weight: Weight,
  isFirst: boolean,
  isTransposed: boolean,
  isTheano: boolean,
): Weight {
  const spatial = Array.from({ length: weight.shape.length - 2 }, (_, i) => i);
  const count = spatial.length;
  // [outputs, inputs, kernel…] where channels come first, else [kernel…, inputs, outputs]; a
  // transposed convolution of Keras 2 has [kernel…, outputs, inputs].
  const [outputs, inputs, first] = isFirst ? [0, 1, 2] : [count + 1, count, 0];
  const channels = isTransposed ? [outputs, inputs] : [inputs, outputs];
  const turned = weight.transpose([...spatial.map((axis) => first + axis), ...channels]);
  return isTheano ? spatial.reduce((each, axis) => each.reverse(axis), turned) : turned;
}

/** [length, 1, inputs, outputs], before Keras 1.1 [outputs, inputs, length, 1]. */
function sequenceKernel(weight: Weight, config: JsonObject, isTheano: boolean): Weight {
  const { shape } = weight;
  const filters = member(config, 'filters');
  const isNew = shape[1] === 1 && shape[3] === filters;
  const isFormer = !isNew && shape[0] === filters && shape[3] === 1;
  const [length, , inputs, outputs] = (isFormer ? weight.transpose([2, 3, 1, 0]) : weight).shape;
  const kernel = (isFormer ? weight.transpose([2, 3, 1, 0]) : weight).reshape([
    length!,
    inputs!,
    outputs!,
  ]);
  return isTheano ? kernel.reverse(0) : kernel;
}
