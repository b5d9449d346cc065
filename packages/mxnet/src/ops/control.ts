import {
  Graph,
  ops,
  sameShape,
  type AttrValues,
  type Dim,
  type DType,
  type Node,
  type Value,
} from '@drover/core';
import {
  gap,
  loopTrips,
  readsCondition,
  type Gap,
  type WriteRules,
  toldInside,
} from '@drover/core/format';
import { truth } from '../vocabulary/build.js';
import {
  heldShape,
  heldType,
  type GraphWriter,
  type Operand,
  type Ref,
} from '../vocabulary/graph-writer.js';
import { coordinates } from '../vocabulary/indices.js';
import { reshape } from '../vocabulary/reshape.js';
import {
  decomposed,
  unknownRank,
  type KeepRules,
  type ReadRules,
  type ToCore,
} from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';
import { bodySymbol } from '../vocabulary/symbol-order.js';

const listOf = (node: SourceNode, name: string): readonly number[] => node.ints(name) ?? [];

/** Runs a body over the slices of its data along their first dimension. */
const readForeach: ToCore = (node) => {
  node.ignore('num_outputs');
  const inputs = node.inputs();
  const [data, states, rest] = [
    listOf(node, 'in_data_locs'),
    listOf(node, 'in_state_locs'),
    listOf(node, 'remain_locs'),
  ];
  const emitted = node.int('num_out_data');
  const body = new Graph(node.name, node.graph);
  const variables = new Array<Value>(inputs.length);
  // The operands are data, states and the rest; the tuples say which variable of the body each is.
  const given = (index: number): Value => inputs[index]!;
  states.forEach((at, i) => {
    const { name, dtype, shape } = given(data.length + i);
    variables[at] = body.input(name, dtype, shape);
  });
  data.forEach((at, i) => {
    const { name, dtype, shape } = given(i);
    variables[at] = body.input(name, dtype, shape?.slice(1));
  });
  rest.forEach((at, i) => (variables[at] = body.capture(given(data.length + states.length + i))));
  const heads = node.body(0, body, variables);
  const results = [...heads.slice(emitted), ...heads.slice(0, emitted)];
  results.forEach((value, i) => body.output(`output${i}`, value));
  const operands = [
    ...states.map((_, i) => given(data.length + i)),
    ...data.map((_, i) => given(i)),
  ];
  const attrs = {
    states: states.length,
    inputAxes: data.map(() => 0),
    inputReverse: data.map(() => false),
    outputAxes: Array.from({ length: emitted }, () => 0),
    outputReverse: Array.from({ length: emitted }, () => false),
  };
  const { outputs } = node.graph.add(ops.Scan, { inputs: operands }, attrs, {
    ...node.options,
    regions: { body: body.region() },
  });
  return [...outputs.slice(states.length), ...outputs.slice(0, states.length)];
};

/** One element without dimensions. */
function scalar(node: SourceNode, x: Value): Value {
  return x.rank === 0
    ? x
    : node.graph.add(ops.Reshape, { x }, { shape: [] }, node.step('scalar')).y;
}

/** Two bodies, and a condition that is a body too: it runs where the node stands. */
const readCond: ToCore = (node) => {
  node.ignore('num_outputs');
  const inputs = node.inputs();
  const chosen = (name: string, of: readonly Value[]) => listOf(node, name).map((at) => of[at]!);
  const [test] = node.body(0, node.graph, chosen('cond_input_locs', inputs));
  const branch = (index: number, locations: string) => {
    const graph = new Graph(`${node.name}/${index}`, node.graph);
    const captured = chosen(locations, inputs).map((value) => graph.capture(value));
    node.body(index, graph, captured).forEach((value, i) => graph.output(`output${i}`, value));
    return graph.region();
  };
  const condition = scalar(node, truth(node, test!, 'condition'));
  return node.graph.add(
    ops.If,
    { condition },
    {},
    {
      ...node.options,
      regions: { then: branch(1, 'then_input_locs'), else: branch(2, 'else_input_locs') },
    },
  ).outputs;
};

/** Loops that are written out trip by trip: those that are short. */
export const unrolled = { maxTrips: 64, maxNodes: 4096 };

/** Whether a Scan is written out step by step. */
function isShort(node: Node): boolean {
  const { states, inputAxes } = node.attrs as AttrValues<(typeof ops.Scan)['attrs']>;
  const steps = node.inputs[states]?.shape?.[inputAxes[0]!];
  return (
    typeof steps === 'number' &&
    steps <= unrolled.maxTrips &&
    steps * node.regions['body']!.graph.size <= unrolled.maxNodes
  );
}

/**
 * A body that runs over the slices of sequences, in the body's values and in those of the graph
 * around it.
 */
interface Foreach {
  readonly states: readonly {
    readonly initial: Value;
    readonly parameter: Value;
    readonly next: Value;
    readonly last: Value;
  }[];
  /** Sequences along their first dimension, and what stands for a slice. */
  readonly data: readonly { readonly sequence: Operand; readonly parameter: Value }[];
  readonly emitted: readonly {
    readonly value: Value;
    readonly place: (stacked: Ref) => Gap | void;
  }[];
}

/** A result as it is that also needs another value: a one of that value's shape times it. */
function besides(writer: GraphWriter, result: Ref, dtype: DType, other: Value): Ref {
  const element = writer.step('slice_axis', [writer.step('Reshape', [other], { shape: [-1] })], {
    axis: 0,
    begin: 0,
    end: 1,
  });
  const one = writer.cast(
    writer.step('ones_like', [element]),
    heldType(other.dtype),
    heldType(dtype),
  );
  return writer.step('broadcast_mul', [result, one]);
}

function writeForeach(
  node: Node,
  writer: GraphWriter,
  { states, data, emitted }: Foreach,
): Gap | void {
  for (const { initial, parameter, next, last } of states) {
    const shapes = [initial, parameter, next, last].map(({ shape }) => shape);
    if (shapes.some((shape) => !shape || !sameShape(shape, shapes[0]!)))
      return gap('what it carries changes its shape, and MXNet keeps it');
  }
  const inner = writer.body(node.regions['body']!);
  if (!inner) return toldInside;
  const heads: Ref[] = [];
  const results = [...emitted.map(({ value }) => value), ...states.map(({ next }) => next)];
  for (const value of results) {
    const ref = inner.ref(value);
    const isOwn =
      inner.nodes[ref.node]!.op !== null &&
      !heads.some((head) => head.node === ref.node && head.output === ref.output);
    heads.push(isOwn ? ref : inner.step('_copy', [ref]));
  }
  const given = [...data, ...states].map(({ parameter }) => parameter);
  const parameters = given.map((parameter) => inner.ref(parameter).node);
  // MXNet takes no states and sequences that the body does not use.
  const used = new Set(bodySymbol(inner.nodes, heads).variables);
  given.forEach((parameter, i) => {
    if (!used.has(parameters[i]!))
      heads[0] = besides(inner, heads[0]!, results[0]!.dtype, parameter);
  });
  const { symbol, variables } = bodySymbol(inner.nodes, heads);
  const rest = variables.filter((each) => !parameters.includes(each));
  const located = (nodes: readonly number[]) => nodes.map((each) => variables.indexOf(each));
  const inputs = [
    ...data.map(({ sequence }) => sequence),
    ...states.map(({ initial }) => initial),
    ...rest.map((each) => inner.outside(each)!),
  ];
  const attributes = {
    num_args: inputs.length + 1,
    num_outputs: heads.length,
    num_out_data: emitted.length,
    in_data_locs: located(parameters.slice(0, data.length)),
    in_state_locs: located(parameters.slice(data.length)),
    remain_locs: located(rest),
  };
  const made = writer.step('_foreach', inputs, attributes, [symbol]);
  states.forEach(({ last }, i) => writer.bind(last, writer.output(made, emitted.length + i)));
  for (const [i, { place }] of emitted.entries()) {
    const missing = place(writer.output(made, i));
    if (missing) return missing;
  }
}

/** A permutation that moves one axis to another place. */
function moving(rank: number, from: number, to: number): readonly number[] {
  const perm = Array.from({ length: rank }, (_, i) => i).filter((axis) => axis !== from);
  perm.splice(to, 0, from);
  return perm;
}

/** A scalar is held as a list of one, and so is each slice of a list. */
function heldSlices(writer: GraphWriter, sequence: Operand, rank: number): Operand {
  return rank === 1 ? writer.step('expand_dims', [sequence], { axis: 1 }) : sequence;
}

/** What a body yields, stacked along a new first dimension by MXNet, as a result of the node. */
function placed(
  writer: GraphWriter,
  { shape }: Value,
  result: Value,
  axis: number,
  isReversed: boolean,
): (stacked: Ref) => Gap | void {
  return (stacked) => {
    const steps = result.shape?.[axis];
    if (!shape || steps === undefined) return unknownRank;
    let ref: Ref | undefined = isReversed
      ? writer.step('reverse', [stacked], { axis: [0] })
      : stacked;
    ref = reshape(writer, ref, [steps, ...heldShape(shape)], [steps, ...shape]);
    if (!ref) return gap('how often it runs is not said by what was written before');
    writer.bind(
      result,
      axis === 0
        ? ref
        : writer.step('transpose', [ref], { axes: moving(shape.length + 1, 0, axis) }),
    );
  };
}

function writeScan(node: Node<typeof ops.Scan>, writer: GraphWriter): Gap | void {
  const { states, inputAxes, inputReverse, outputAxes, outputReverse } = node.attrs;
  const { inputs: parameters, outputs: results } = node.regions['body']!.graph;
  const data: { sequence: Operand; parameter: Value }[] = [];
  for (const [i, value] of node.inputs.slice(states).entries()) {
    if (value!.rank === undefined) return unknownRank;
    const axis = inputAxes[i]!;
    const first =
      axis === 0
        ? value!
        : writer.step('transpose', [value!], { axes: moving(value!.rank, axis, 0) });
    const forward = inputReverse[i] ? writer.step('reverse', [first], { axis: [0] }) : first;
    data.push({
      sequence: heldSlices(writer, forward, value!.rank),
      parameter: parameters[states + i]!,
    });
  }
  return writeForeach(node as Node, writer, {
    states: node.inputs.slice(0, states).map((initial, i) => ({
      initial: initial!,
      parameter: parameters[i]!,
      next: results[i]!.value,
      last: node.outputs[i]!,
    })),
    data,
    emitted: results.slice(states).map(({ value }, i) => ({
      value,
      place: placed(writer, value, node.outputs[states + i]!, outputAxes[i]!, outputReverse[i]!),
    })),
  });
}

/** 0, 1, … below a size, as slices of one element. */
function countedTo(writer: GraphWriter, size: Dim): Operand | undefined {
  if (typeof size === 'number') return writer.literal('int64', [size, 1], coordinates([size], 0));
  const place = writer.sizeSource(size);
  const numbers = place && writer.step('_contrib_arange_like', [place.value], { axis: place.axis });
  return (
    numbers &&
    writer.step('expand_dims', [writer.cast(numbers, heldType(place.value.dtype), 'int64')], {
      axis: 1,
    })
  );
}

function writeLoop(node: Node<typeof ops.Loop>, writer: GraphWriter): Gap | void {
  const trips = loopTrips(node);
  if (trips === undefined || trips === 0 || readsCondition(node.regions['body']!.graph))
    return gap('the number of its trips depends on data');
  const counted = countedTo(writer, trips);
  if (!counted) return gap('how often it runs is not said by what was written before');
  const { inputs: parameters, outputs: results } = node.regions['body']!.graph;
  const { carried } = node.operands;
  return writeForeach(node as Node, writer, {
    states: carried.map((initial, i) => ({
      initial,
      parameter: parameters[2 + i]!,
      next: results[1 + i]!.value,
      last: node.outputs[i]!,
    })),
    data: [{ sequence: counted, parameter: parameters[0]! }],
    emitted: results.slice(1 + carried.length).map(({ value }, i) => ({
      value,
      place: placed(writer, value, node.outputs[carried.length + i]!, 0, false),
    })),
  });
}

const toCore = {
  _cond: readCond,
  _foreach: readForeach,
} satisfies ReadRules;

const fromCore = {
  Attention: decomposed,
  Call: gap('a call is written as the nodes of its function'),
  Foreign: (node, writer) => {
    const { format, type, reason, attributes } = node.attrs as AttrValues<
      (typeof ops.Foreign)['attrs']
    >;
    // A foreign operator keeps its attributes, but not its bodies.
    if (format !== 'mxnet' || type === '_foreach' || type === '_while_loop' || type === '_cond')
      return gap(reason);
    const given = Object.entries((attributes ?? {}) as Readonly<Record<string, string>>);
    return writer.node(
      type,
      (node as unknown as Node).inputs as Value[],
      Object.fromEntries(given),
      node.outputs as readonly Value[],
    );
  },
  If: gap('MXNet decides before it binds which branch fits its shapes'),
  Loop: writeLoop,
  Scan: writeScan,
} satisfies Partial<WriteRules<GraphWriter>>;

const keeps = {
  Scan: (node) => !isShort(node),
} satisfies KeepRules;

/** Control flow, both directions, and the writing of what core does not know. */
export const control = { toCore, fromCore, keeps };
