import type { Graph } from '../graph/graph.js';
import type { Value } from '../graph/value.js';
import { add } from '../ops/add.js';
import { elu } from '../ops/elu.js';
import { hardSigmoid } from '../ops/hard-sigmoid.js';
import { leakyRelu } from '../ops/leaky-relu.js';
import { mul } from '../ops/mul.js';
import { relu } from '../ops/relu.js';
import { sigmoid } from '../ops/sigmoid.js';
import { softplus } from '../ops/softplus.js';
import { softsign } from '../ops/softsign.js';
import { tanh } from '../ops/tanh.js';
import { thresholdedRelu } from '../ops/thresholded-relu.js';
import type { Activation } from '../typing/recurrence.js';
import { scalar } from './scalar.js';

/** An activation function of a recurrent operator in terms of elementwise operators. */
export function buildActivation(graph: Graph, { name, alpha, beta }: Activation, x: Value): Value {
  const times = (value: Value, factor: number) =>
    graph.add(mul, { a: value, b: scalar(graph, x.dtype, factor) }, {}).y;
  switch (name) {
    case 'Affine':
      return graph.add(add, { a: times(x, alpha), b: scalar(graph, x.dtype, beta) }, {}).y;
    case 'Elu':
      return graph.add(elu, { x }, { alpha }).y;
    case 'HardSigmoid':
      return graph.add(hardSigmoid, { x }, { alpha, beta }).y;
    case 'LeakyRelu':
      return graph.add(leakyRelu, { x }, { alpha }).y;
    case 'Relu':
      return graph.add(relu, { x }, {}).y;
    case 'ScaledTanh':
      return times(graph.add(tanh, { x: times(x, beta) }, {}).y, alpha);
    case 'Sigmoid':
      return graph.add(sigmoid, { x }, {}).y;
    case 'Softplus':
      return graph.add(softplus, { x }, {}).y;
    case 'Softsign':
      return graph.add(softsign, { x }, {}).y;
    case 'Tanh':
      return graph.add(tanh, { x }, {}).y;
    case 'ThresholdedRelu':
      return graph.add(thresholdedRelu, { x }, { alpha }).y;
  }
}
