import { abs } from './abs.js';
import { acos } from './acos.js';
import { acosh } from './acosh.js';
import { add } from './add.js';
import { and } from './and.js';
import { argMax } from './arg-max.js';
import { argMin } from './arg-min.js';
import { asin } from './asin.js';
import { asinh } from './asinh.js';
import { atan } from './atan.js';
import { atan2 } from './atan2.js';
import { atanh } from './atanh.js';
import { attention } from './attention.js';
import { averagePool } from './average-pool.js';
import { batchNormalization } from './batch-normalization.js';
import { bitShift } from './bit-shift.js';
import { bitwiseAnd } from './bitwise-and.js';
import { bitwiseNot } from './bitwise-not.js';
import { bitwiseOr } from './bitwise-or.js';
import { bitwiseXor } from './bitwise-xor.js';
import { call } from './call.js';
import { cast } from './cast.js';
import { ceil } from './ceil.js';
import { celu } from './celu.js';
import { clip } from './clip.js';
import { concat } from './concat.js';
import { convTranspose } from './conv-transpose.js';
import { conv } from './conv.js';
import { cos } from './cos.js';
import { cosh } from './cosh.js';
import { cumSum } from './cum-sum.js';
import { depthToSpace } from './depth-to-space.js';
import { dequantizeLinear } from './dequantize-linear.js';
import { dims } from './dims.js';
import { div } from './div.js';
import { einsum } from './einsum.js';
import { elu } from './elu.js';
import { equal } from './equal.js';
import { erf } from './erf.js';
import { exp } from './exp.js';
import { expand } from './expand.js';
import { expm1 } from './expm1.js';
import { floor } from './floor.js';
import { foreign } from './foreign.js';
import { gatherElements } from './gather-elements.js';
import { gatherND } from './gather-nd.js';
import { gather } from './gather.js';
import { gelu } from './gelu.js';
import { greaterOrEqual } from './greater-or-equal.js';
import { greater } from './greater.js';
import { gridSample } from './grid-sample.js';
import { groupNormalization } from './group-normalization.js';
import { gru } from './gru.js';
import { hardSigmoid } from './hard-sigmoid.js';
import { hardSwish } from './hard-swish.js';
import { hardmax } from './hardmax.js';
import { ifElse } from './if.js';
import { instanceNormalization } from './instance-normalization.js';
import { isInf } from './is-inf.js';
import { isNan } from './is-nan.js';
import { layerNormalization } from './layer-normalization.js';
import { leakyRelu } from './leaky-relu.js';
import { lessOrEqual } from './less-or-equal.js';
import { less } from './less.js';
import { logSoftmax } from './log-softmax.js';
import { log } from './log.js';
import { log1p } from './log1p.js';
import { loop } from './loop.js';
import { lpNormalization } from './lp-normalization.js';
import { lpPool } from './lp-pool.js';
import { lrn } from './lrn.js';
import { lstm } from './lstm.js';
import { matMul } from './mat-mul.js';
import { maxPool } from './max-pool.js';
import { max } from './max.js';
import { min } from './min.js';
import { mish } from './mish.js';
import { mod } from './mod.js';
import { mul } from './mul.js';
import { neg } from './neg.js';
import { nonMaxSuppression } from './non-max-suppression.js';
import { nonZero } from './non-zero.js';
import { not } from './not.js';
import { oneHot } from './one-hot.js';
import { or } from './or.js';
import { pRelu } from './p-relu.js';
import { pad } from './pad.js';
import { pow } from './pow.js';
import { quantizeLinear } from './quantize-linear.js';
import { range } from './range.js';
import { reciprocal } from './reciprocal.js';
import { reduceL1 } from './reduce-l1.js';
import { reduceL2 } from './reduce-l2.js';
import { reduceLogSumExp } from './reduce-log-sum-exp.js';
import { reduceLogSum } from './reduce-log-sum.js';
import { reduceMax } from './reduce-max.js';
import { reduceMean } from './reduce-mean.js';
import { reduceMin } from './reduce-min.js';
import { reduceProd } from './reduce-prod.js';
import { reduceSumSquare } from './reduce-sum-square.js';
import { reduceSum } from './reduce-sum.js';
import { relu } from './relu.js';
import { reshape } from './reshape.js';
import { resize } from './resize.js';
import { reverseSequence } from './reverse-sequence.js';
import { reverse } from './reverse.js';
import { rmsNormalization } from './rms-normalization.js';
import { rnn } from './rnn.js';
import { roiAlign } from './roi-align.js';
import { round } from './round.js';
import { scan } from './scan.js';
import { scatterElements } from './scatter-elements.js';
import { scatterND } from './scatter-nd.js';
import { selu } from './selu.js';
import { shape } from './shape.js';
import { sigmoid } from './sigmoid.js';
import { sign } from './sign.js';
import { sin } from './sin.js';
import { sinh } from './sinh.js';
import { slice } from './slice.js';
import { softmax } from './softmax.js';
import { softplus } from './softplus.js';
import { softsign } from './softsign.js';
import { spaceToDepth } from './space-to-depth.js';
import { split } from './split.js';
import { sqrt } from './sqrt.js';
import { squeeze } from './squeeze.js';
import { sub } from './sub.js';
import { tan } from './tan.js';
import { tanh } from './tanh.js';
import { thresholdedRelu } from './thresholded-relu.js';
import { tile } from './tile.js';
import { topK } from './top-k.js';
import { transpose } from './transpose.js';
import { trilu } from './trilu.js';
import { unsqueeze } from './unsqueeze.js';
import { where } from './where.js';
import { xor } from './xor.js';

/** The core set: every operator, by name. */
export const ops = {
  Abs: abs,
  Acos: acos,
  Acosh: acosh,
  Add: add,
  And: and,
  ArgMax: argMax,
  ArgMin: argMin,
  Asin: asin,
  Asinh: asinh,
  Atan: atan,
  Atan2: atan2,
  Atanh: atanh,
  Attention: attention,
  AveragePool: averagePool,
  BatchNormalization: batchNormalization,
  BitShift: bitShift,
  BitwiseAnd: bitwiseAnd,
  BitwiseNot: bitwiseNot,
  BitwiseOr: bitwiseOr,
  BitwiseXor: bitwiseXor,
  Call: call,
  Cast: cast,
  Ceil: ceil,
  Celu: celu,
  Clip: clip,
  Concat: concat,
  Conv: conv,
  ConvTranspose: convTranspose,
  Cos: cos,
  Cosh: cosh,
  CumSum: cumSum,
  DepthToSpace: depthToSpace,
  DequantizeLinear: dequantizeLinear,
  Dims: dims,
  Div: div,
  Einsum: einsum,
  Elu: elu,
  Equal: equal,
  Erf: erf,
  Exp: exp,
  Expand: expand,
  Expm1: expm1,
  Floor: floor,
  Foreign: foreign,
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherND,
  Gelu: gelu,
  Greater: greater,
  GreaterOrEqual: greaterOrEqual,
  GridSample: gridSample,
  GroupNormalization: groupNormalization,
  GRU: gru,
  Hardmax: hardmax,
  HardSigmoid: hardSigmoid,
  HardSwish: hardSwish,
  If: ifElse,
  InstanceNormalization: instanceNormalization,
  IsInf: isInf,
  IsNaN: isNan,
  LayerNormalization: layerNormalization,
  LeakyRelu: leakyRelu,
  Less: less,
  LessOrEqual: lessOrEqual,
  Log: log,
  Log1p: log1p,
  LogSoftmax: logSoftmax,
  Loop: loop,
  LpNormalization: lpNormalization,
  LpPool: lpPool,
  LRN: lrn,
  LSTM: lstm,
  MatMul: matMul,
  Max: max,
  MaxPool: maxPool,
  Min: min,
  Mish: mish,
  Mod: mod,
  Mul: mul,
  Neg: neg,
  NonMaxSuppression: nonMaxSuppression,
  NonZero: nonZero,
  Not: not,
  OneHot: oneHot,
  Or: or,
  Pad: pad,
  Pow: pow,
  PRelu: pRelu,
  QuantizeLinear: quantizeLinear,
  Range: range,
  Reciprocal: reciprocal,
  ReduceL1: reduceL1,
  ReduceL2: reduceL2,
  ReduceLogSum: reduceLogSum,
  ReduceLogSumExp: reduceLogSumExp,
  ReduceMax: reduceMax,
  ReduceMean: reduceMean,
  ReduceMin: reduceMin,
  ReduceProd: reduceProd,
  ReduceSum: reduceSum,
  ReduceSumSquare: reduceSumSquare,
  Relu: relu,
  Reshape: reshape,
  Resize: resize,
  Reverse: reverse,
  ReverseSequence: reverseSequence,
  RMSNormalization: rmsNormalization,
  RNN: rnn,
  RoiAlign: roiAlign,
  Round: round,
  Scan: scan,
  ScatterElements: scatterElements,
  ScatterND: scatterND,
  Selu: selu,
  Shape: shape,
  Sigmoid: sigmoid,
  Sign: sign,
  Sin: sin,
  Sinh: sinh,
  Slice: slice,
  Softmax: softmax,
  Softplus: softplus,
  Softsign: softsign,
  SpaceToDepth: spaceToDepth,
  Split: split,
  Sqrt: sqrt,
  Squeeze: squeeze,
  Sub: sub,
  Tan: tan,
  Tanh: tanh,
  ThresholdedRelu: thresholdedRelu,
  Tile: tile,
  TopK: topK,
  Transpose: transpose,
  Trilu: trilu,
  Unsqueeze: unsqueeze,
  Where: where,
  Xor: xor,
} as const;

/** Name of an operator of the core set. */
export type OpName = keyof typeof ops;
