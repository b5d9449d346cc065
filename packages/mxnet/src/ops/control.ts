import { Graph, ops, type Value } from '@drover/core';
import { truth } from '../vocabulary/build.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

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

/** One element without dimensions. */
function scalar(node: SourceNode, x: Value): Value {
  return x.rank === 0
    ? x
    : node.graph.add(ops.Reshape, { x }, { shape: [] }, node.step('scalar')).y;
}

const toCore = { _cond: readCond, _foreach: readForeach } satisfies ReadRules;

/** Control flow, both directions. */
export const control = { toCore };
