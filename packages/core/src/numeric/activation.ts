import type { ActivationName } from '../typing/recurrence.js';

/**
 * Activation functions of recurrent operators over float64, with their parameters alpha and beta
 * (ONNX RNN-22).
 */
export const activations: Readonly<
  Record<ActivationName, (x: number, alpha: number, beta: number) => number>
> = {
  Affine: (x, alpha, beta) => alpha * x + beta,
  Elu: (x, alpha) => (x < 0 ? alpha * Math.expm1(x) : x),
  HardSigmoid: (x, alpha, beta) => Math.min(Math.max(alpha * x + beta, 0), 1),
  LeakyRelu: (x, alpha) => (x < 0 ? alpha * x : x),
  Relu: (x) => Math.max(x, 0),
  ScaledTanh: (x, alpha, beta) => alpha * Math.tanh(beta * x),
  Sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  Softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  Softsign: (x) => x / (1 + Math.abs(x)),
  Tanh: Math.tanh,
  ThresholdedRelu: (x, alpha) => (x >= alpha ? x : 0),
};
