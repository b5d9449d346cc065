import {
  ops,
  sameDim,
  type Dim,
  type Graph,
  type Node,
  type Region,
  type Value,
  type ValueType,
} from '@drover/core';
import { freshDim, gap, isDataDependent, type Gap, type WriteRules } from '@drover/core/format';
import { graph, int, ints } from '../vocabulary/attribute.js';
import { axisOf } from '../vocabulary/axis.js';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import { foreignNode } from '../vocabulary/foreign-node.js';
import { always, versions, type ReadRules, type ToCore } from '../vocabulary/rule.js';
import { Collected, Collecting, Sequence } from '../vocabulary/sequence.js';
import type { Parameter, SourceNode } from '../vocabulary/source-node.js';

const region = (body: Graph): Region => body.region();

const readIf: ToCore = (node) => {
  const condition = node.input(0);
  const branches = { then: node.body('then_branch', []), else: node.body('else_branch', []) };
  return node.graph.add(
    ops.If,
    { condition },
    {},
    { ...node.options, regions: { then: region(branches.then), else: region(branches.else) } },
  ).outputs;
};

/** Whether a value is a constant true, which says nothing as a condition. */
const isTrue = (value: Value | undefined): boolean => value?.constant?.peek()?.data[0] === 1;

/**
 * Whether a number of trips is the largest that there is, by which exporters say that there is no
 * limit.
 */
const isEndless = (value: Value | undefined): boolean =>
  value?.constant?.peek()?.data[0] === 2n ** 63n - 1n;

/**
 * A type that holds for a carried value before and after a trip: sizes that change are not known,
 * and are noted as `open`.
 */
function settledType({ dtype, shape }: ValueType, after: ValueType, open: Set<string>): ValueType {
  if (!shape || after.shape?.length !== shape.length) return { dtype, shape: undefined };
  const settled = (dim: Dim, i: number): Dim => {
    if (open.has(String(dim)) || sameDim(dim, after.shape![i]!)) return dim;
    const fresh = freshDim('carried');
    open.add(String(fresh));
    return fresh;
  };
  return { dtype, shape: shape.map(settled) };
}

/**
 * A body is built anew until its types settle, and with it every body inside: so often, and so many
 * loops deep.
 */
const [maxAttempts, maxDepth] = [8, 4];

/**
 * The body of a loop with the types that its carried values keep from trip to trip; undefined
 * stands for a sequence that it collects.
 */
function settledBody(node: SourceNode, carried: readonly (Value | undefined)[]): Graph {
  const open = new Set<string>();
  let types = carried.map((value) => value?.type);
  for (let attempt = 1; ; attempt++) {
    const passed = types.map((type): Parameter => type ?? new Collecting([]));
    const body = node.body('body', [
      { dtype: 'int64', shape: [] },
      { dtype: 'bool', shape: [] },
      ...passed,
    ]);
    const next = types.map(
      (type, i) => type && settledType(type, body.outputs[1 + i]?.value.type ?? type, open),
    );
    const isSettled = next.every((type, i) => type?.shape?.join() === types[i]?.shape?.join());
    if (isSettled) return body;
    if (attempt === maxAttempts || node.graph.depth >= maxDepth)
      throw node.unsupported(
        `the types that it carries change from trip to trip, ${attempt === maxAttempts ? 'and do not settle' : 'too many loops deep'}`,
      );
    types = next;
  }
}

/** A carried operand of a loop; undefined for a sequence that is empty at first. */
function carriedValue(node: SourceNode, index: number): Value | undefined {
  const operand = node.operand(index);
  if (!(operand instanceof Sequence)) return operand;
  if (operand.values.length === 0) return undefined;
  throw node.unsupported('it carries a sequence that is not empty at first');
}

const readLoop: ToCore = (node) => {
  const [limit, given] = [node.optional(0), node.optional(1)];
  const maxTrips = isEndless(limit) ? undefined : limit;
  const condition = isTrue(given) ? undefined : given;
  const operands = Array.from({ length: Math.max(node.inputCount - 2, 0) }, (_, i) =>
    carriedValue(node, i + 2),
  );
  const body = settledBody(node, operands);
  const carried = operands.filter((value) => value !== undefined);
  // What is collected is stacked as scanned results are, and comes first among them.
  const results = body.outputs.splice(1);
  const isCollected = (_: unknown, i: number) => i < operands.length && operands[i] === undefined;
  const collected = results.filter(isCollected);
  body.outputs.push(
    ...results.slice(0, operands.length).filter((_, i) => operands[i] !== undefined),
    ...collected,
    ...results.slice(operands.length),
  );
  const { outputs } = node.graph.add(
    ops.Loop,
    { maxTrips, condition, carried },
    { carried: carried.length },
    { ...node.options, regions: { body: region(body) } },
  );
  let [tensor, list] = [0, carried.length];
  const made = operands.map((value) => {
    if (value) return outputs[tensor++]!;
    const stack = outputs[list++]!;
    if (!stack.shape || stack.shape.slice(1).some(isDataDependent))
      throw node.unsupported('it collects tensors whose sizes may differ from trip to trip');
    return new Collected(stack);
  });
  return [...made, ...outputs.slice(carried.length + collected.length)];
};

const readScan: ToCore = (node) => {
  const inputs = node.inputs();
  const scanned = node.int('num_scan_inputs');
  if (scanned < 0 || scanned > inputs.length)
    throw node.malformed(`it scans ${scanned} of ${inputs.length} operands`);
  const states = inputs.length - scanned;
  const inputAxes = (node.ints('scan_input_axes') ?? new Array<number>(scanned).fill(0)).map(
    (axis, i) => axisOf(node, axis, inputs[states + i]?.rank),
  );
  const inputReverse = (
    node.ints('scan_input_directions') ?? new Array<number>(scanned).fill(0)
  ).map((direction) => direction === 1);
  const slices = inputs.slice(states).map(({ dtype, shape }, i) => ({
    dtype,
    shape: shape?.filter((_, axis) => axis !== inputAxes[i]),
  }));
  const body = node.body('body', [...inputs.slice(0, states).map(({ type }) => type), ...slices]);
  const stacked = body.outputs.length - states;
  const outputAxes = (node.ints('scan_output_axes') ?? new Array<number>(stacked).fill(0)).map(
    (axis, i) => {
      const rank = body.outputs[states + i]?.value.rank;
      return axisOf(node, axis, rank === undefined ? undefined : rank + 1);
    },
  );
  const outputReverse = (
    node.ints('scan_output_directions') ?? new Array<number>(stacked).fill(0)
  ).map((direction) => direction === 1);
  return node.graph.add(
    ops.Scan,
    { inputs },
    { states, inputAxes, inputReverse, outputAxes, outputReverse },
    { ...node.options, regions: { body: region(body) } },
  ).outputs;
};

const readBatchedScan: ToCore = (node) => {
  throw node.unsupported('version 8 of Scan runs over a batch, each with a length of its own');
};

const toCore = {
  If: always(readIf),
  Loop: always(readLoop),
  Scan: versions([8, readBatchedScan], [9, readScan]),
} satisfies ReadRules;

/**
 * Versions of the default operator set from which on an operator that core cannot express has meant
 * the same (onnx/docs/Changelog.md).
 */
// prettier-ignore
const unchangedSince: ReadonlyMap<string, number> = new Map(Object.entries({
  Attention: 23, BatchNormalization: 15, Bernoulli: 15, CenterCropPad: 18, Col2Im: 18, CumProd: 26,
  CumSum: 11, DFT: 20, DeformConv: 19, Det: 11, Dropout: 13, ImageDecoder: 20, MaxPool: 12,
  MaxRoiPool: 1, MaxUnpool: 11, MelWeightMatrix: 17, Multinomial: 7, NegativeLogLikelihoodLoss: 13,
  NonMaxSuppression: 11, Pad: 19, RandomNormal: 1, RandomNormalLike: 1, RandomUniform: 1,
  RandomUniformLike: 1, ReduceL1: 18, ReduceL2: 18, ReduceLogSum: 18, ReduceLogSumExp: 18,
  ReduceMax: 18, ReduceMean: 18, ReduceMin: 18, ReduceProd: 18, ReduceSum: 13, ReduceSumSquare: 18,
  RegexFullMatch: 20, Resize: 19, RoiAlign: 16, STFT: 17, Slice: 13, SoftmaxCrossEntropyLoss: 13,
  Squeeze: 13, StringConcat: 20, StringNormalizer: 10, StringSplit: 20, TensorScatter: 24,
  TfIdfVectorizer: 9, Trilu: 14, Unique: 11, Unsqueeze: 13,
}));

/** Writes an operator of ONNX that core cannot express as it was, where that means the same. */
function writeForeign(node: Node<typeof ops.Foreign>, writer: GraphWriter): Gap | void {
  const { format, reason, attributes } = node.attrs;
  if (format !== 'onnx') return gap(reason);
  const source = foreignNode(attributes);
  const { domain, opType, opset } = source;
  if (!source.attributes)
    return gap(
      `${reason}, and it cannot be carried over as it is because it has tensors or graphs as attributes`,
    );
  const since = unchangedSince.get(opType) ?? Infinity;
  const isSame =
    domain !== '' || opset === writer.opset || (since <= opset && since <= writer.opset);
  if (!isSame)
    return gap(
      `${reason}, and whether it means the same in operator set ${writer.opset} as in ${opset} is not known`,
    );
  if (domain !== '' && (writer.root.domains.get(domain) ?? opset) !== opset)
    return gap(`${reason}, and the operator set ${domain} is used in two versions`);
  if (domain !== '') writer.root.domains.set(domain, opset);
  const inputs = new Array<Value | undefined>(source.operandCount).fill(undefined);
  source.operands.forEach((place, i) => (inputs[place] = node.inputs[i]));
  writer.foreign(opType, domain, inputs, source.attributes, node.outputs);
}

const fromCore = {
  Call: gap('a call is written as the nodes of its function'),
  Foreign: (node, writer) => writeForeign(node, writer),
  If: (node, writer) => {
    const { then, else: otherwise } = node.regions;
    writer.node(
      'If',
      node.inputs,
      {
        then_branch: graph(writer.regionProto(then!)),
        else_branch: graph(writer.regionProto(otherwise!)),
      },
      node.outputs,
    );
  },
  Loop: (node, writer) => {
    const { maxTrips, condition, carried } = node.operands;
    writer.node(
      'Loop',
      [maxTrips, condition, ...carried],
      { body: graph(writer.regionProto(node.regions['body']!)) },
      node.outputs,
    );
  },
  Scan: (node, writer) => {
    const { states, inputAxes, inputReverse, outputAxes, outputReverse } = node.attrs;
    const { outputs } = node.regions['body']!.graph;
    if (outputs.some(({ value }) => value.rank === undefined))
      return gap('the rank of what a trip gives is not known');
    const attributes = {
      body: graph(writer.regionProto(node.regions['body']!)),
      num_scan_inputs: int(node.inputs.length - states),
      scan_input_axes: ints(inputAxes),
      scan_input_directions: ints(inputReverse.map(Number)),
      scan_output_axes: ints(outputAxes),
      scan_output_directions: ints(outputReverse.map(Number)),
    };
    writer.node('Scan', node.inputs, attributes, node.outputs);
  },
} satisfies Partial<WriteRules<GraphWriter>>;

/** Control flow, both directions. */
export const control = { toCore, fromCore };
