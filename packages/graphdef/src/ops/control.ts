import {
  cloneGraph,
  Graph,
  ops,
  SymbolicDim,
  symbolsOf,
  type Node,
  type Region,
  type Shape,
  type Value,
} from '@drover/core';
import {
  dimSources,
  freshDim,
  gap,
  inlineGraph,
  isDataDependent,
  neverEnds,
  type WriteRules,
} from '@drover/core/format';
import type { NameAttrList } from '../codec/graph-def.js';
import { func, shapes } from '../vocabulary/attribute.js';
import type { GraphWriter, Operand } from '../vocabulary/graph-writer.js';
import { shape } from '../vocabulary/placeholder-shape.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';
import { writeFunction } from '../vocabulary/write-function.js';
import { buildLoop } from './while-loop.js';

/** A condition as a bool. TensorFlow takes numbers too: what is not zero is true. */
function truth(node: SourceNode, condition: Value | undefined, graph: Graph): Value {
  if (!condition) throw node.unsupported('its condition gives nothing');
  return condition.dtype === 'bool'
    ? condition
    : graph.add(ops.Cast, { x: condition }, { to: 'bool' }, node.step('condition')).y;
}

const readWhile: ToCore = (node) => {
  node.ignore('output_shapes', 'parallel_iterations');
  const [condition, body] = [node.func('cond'), node.func('body')];
  return buildLoop(node, node.inputs(), {
    condition: (args, graph): Value =>
      truth(node, node.call(condition, args, graph, 'cond')[0], graph),
    body: (args, graph) => node.call(body, args, graph, 'body'),
  });
};

const readIf: ToCore = (node) => {
  node.ignore('output_shapes');
  const args = node.inputs(1);
  const branch = (name: 'then' | 'else') => {
    const graph = new Graph(name, node.graph);
    const results = node.call(
      node.func(`${name}_branch`),
      args.map((value) => graph.capture(value)),
      graph,
      name,
    );
    results.forEach((value, i) => graph.output(String(i), value));
    return graph.region();
  };
  const condition = truth(node, node.input(0), node.graph);
  return node.graph.add(
    ops.If,
    { condition },
    {},
    { ...node.options, regions: { then: branch('then'), else: branch('else') } },
  ).outputs;
};

/**
 * Whether a value is a list that has no shape yet, or another that core cannot express: what it is
 * stands in the node that makes it.
 */
const isForeign = (value: Value): boolean => value.producer?.is(ops.Foreign) === true;

/**
 * A call of a function of the library. One that takes or gives foreign values becomes the
 * function's nodes, for those to be seen.
 */
export function readCall(node: SourceNode, called: NameAttrList): readonly Value[] {
  const args = node.inputs();
  const body = new Graph(called.name, node.graph);
  const parameters = args.map((value) => body.capture(value));
  if (args.some(isForeign)) return node.call(called, args);
  const results = node.call(called, parameters, body);
  if (results.some(isForeign)) return node.call(called, args);
  const made = [...new Set(results.filter((value) => value.producer !== undefined))];
  if (made.length === 0) return results.map((value) => args[parameters.indexOf(value)] ?? value);
  for (const value of made) body.output(value.name, value);
  const regions = { body: { graph: body, captures: [] } };
  const operands = body.region().captures;
  const { outputs } = node.graph.add(
    ops.Call,
    { operands },
    { function: called.name },
    { ...node.options, regions },
  );
  return results.map(
    (value) => outputs[made.indexOf(value)] ?? args[parameters.indexOf(value)] ?? value,
  );
}

const readPartitionedCall: ToCore = (node) => {
  node.ignore('config', 'config_proto', 'executor_type');
  return readCall(node, node.func('f'));
};

/** Names of dimensions that the nodes of a graph speak of. */
function namesIn(graph: Graph): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { attrs, outputs, regions } of graph.nodes) {
    const dims = [...Object.values(attrs).flat(), ...outputs.flatMap(({ shape }) => shape ?? [])];
    for (const dim of dims)
      if (dim instanceof SymbolicDim) for (const name of symbolsOf(dim)) names.add(name);
    for (const region of Object.values(regions))
      for (const name of namesIn(region.graph)) names.add(name);
  }
  return names;
}

/**
 * A body that also captures what tells the named dimensions it speaks of: a function knows nothing
 * but its arguments.
 */
function closed({ graph, captures }: Region, outer: Graph): Region {
  const [inside, around] = [dimSources(graph), dimSources(outer)];
  const missing = [...namesIn(graph)].flatMap((name) =>
    inside.has(name) ? [] : (around.get(name)?.input ?? []),
  );
  const more = [...new Set(missing)];
  if (more.length === 0) return { graph, captures };
  const copy = cloneGraph(graph);
  for (const { name, dtype, shape } of more) copy.input(name, dtype, shape);
  return { graph: copy, captures: [...captures, ...more] };
}

/** A branch as a closed graph: it takes what both branches capture, in one order. */
function branchGraph(
  { graph, captures }: Region,
  before: readonly Value[],
  after: readonly Value[],
): Graph {
  const copy = cloneGraph(graph);
  const own = copy.inputs.splice(0, captures.length);
  const placeholder = ({ name, dtype, shape }: Value) => copy.input(name, dtype, shape);
  before.forEach(placeholder);
  copy.inputs.push(...own);
  after.forEach(placeholder);
  return copy;
}

function writeIf(node: Node<typeof ops.If>, writer: GraphWriter): void {
  const [then, otherwise] = [
    closed(node.regions['then']!, writer.graph),
    closed(node.regions['else']!, writer.graph),
  ];
  const { condition } = node.operands;
  // TF.js cannot load a function that takes nothing.
  const spare = then.captures.length + otherwise.captures.length === 0 ? [condition] : [];
  const branches = {
    then_branch: func(
      writeFunction(
        writer.model,
        branchGraph(then, spare, otherwise.captures),
        `${node.name}_then`,
      ),
    ),
    else_branch: func(
      writeFunction(
        writer.model,
        branchGraph(otherwise, [...spare, ...then.captures], []),
        `${node.name}_else`,
      ),
    ),
  };
  const scalar = condition.rank === 0 ? condition : writer.reshape(condition, []);
  const dtypes = node.outputs.map(({ dtype }) => writer.typeOf(dtype));
  const refs = writer.steps(
    'StatelessIf',
    [scalar, ...spare, ...then.captures, ...otherwise.captures],
    branches,
    dtypes,
  );
  node.outputs.forEach((value, i) => writer.set(value, refs[i]!));
}

/**
 * A loop as StatelessWhile over plain tensors: the number of the trip, whether it goes on, the
 * carried values, the scanned values so far (each trip joins its own), the most trips, and what the
 * body captures. TF.js 4.22 runs this form; it does not run loops that write lists of tensors.
 */
function writeLoop(node: Node<typeof ops.Loop>, writer: GraphWriter): void {
  const { maxTrips, condition, carried } = node.operands;
  const { graph: body, captures } = closed(node.regions['body']!, writer.graph);
  const scanned = node.outputs.slice(carried.length);
  const stops = condition !== undefined || !neverEnds(body);
  const endless = maxTrips === undefined && !stops;
  if (endless) throw writer.unwritable('the loop never ends');

  const scalarOf = (value: Value): Operand =>
    value.rank === 0 ? value : writer.reshape(value, []);
  const starts = scanned.map(({ dtype, shape }) => {
    const slice = shape?.slice(1);
    if (!slice || slice.some(isDataDependent) || !writer.canCompute(slice))
      throw writer.unwritable(
        'what the trips of the loop yield has no shape that is known before the model runs',
      );
    return writer.step(
      'Fill',
      [writer.dims([0, ...slice]), writer.literal(writer.typeOf(dtype), [], [0])],
      {},
      writer.typeOf(dtype),
    );
  });
  const initial: readonly Operand[] = [
    writer.literal(writer.typeOf('int64'), [], [0]),
    ...(stops ? [condition ? scalarOf(condition) : writer.literal('bool', [], [1])] : []),
    ...carried,
    ...starts,
    ...(maxTrips ? [scalarOf(maxTrips)] : []),
    ...captures,
  ];

  const parameters = (graph: Graph) => {
    const take = ({ name, dtype, shape }: Value) => graph.input(name, dtype, shape);
    return {
      trip: graph.input('trip', 'int64', []),
      goes: stops ? [graph.input('goes', 'bool', [])] : [],
      states: body.inputs.slice(2, 2 + carried.length).map(take),
      stacks: scanned.map(({ name, dtype, shape }) =>
        graph.input(name, dtype, shape && [freshDim('trips'), ...shape.slice(1)]),
      ),
      most: maxTrips ? [graph.input('most', maxTrips.dtype, [])] : [],
      captured: body.inputs.slice(2 + carried.length).map(take),
    };
  };
  const test = new Graph(`${node.name}_condition`);
  const tested = parameters(test);
  const tests = [
    ...tested.goes,
    ...tested.most.map((most) => test.add(ops.Less, { a: tested.trip, b: most }, {}).y),
  ];
  test.output(
    'goes',
    tests.reduce((a, b) => test.add(ops.And, { a, b }, {}).y),
  );

  const step = new Graph(`${node.name}_body`);
  const given = parameters(step);
  const always = step.literal('bool', [], [true]);
  const [goes, ...results] = inlineGraph(body, step, [
    given.trip,
    given.goes[0] ?? always,
    ...given.states,
    ...given.captured,
  ]);
  const next = step.add(ops.Add, { a: given.trip, b: step.literal('int64', [], [1]) }, {}).y;
  const longer = given.stacks.map((stack, i) => {
    const item = step.add(ops.Unsqueeze, { x: results[carried.length + i]! }, { axes: [0] }).y;
    return step.add(ops.Concat, { inputs: [stack, item] }, { axis: 0 }).y;
  });
  const following = [
    next,
    ...(stops ? [goes!] : []),
    ...results.slice(0, carried.length),
    ...longer,
    ...given.most,
    ...given.captured,
  ];
  following.forEach((value, i) => step.output(String(i), value));

  const scalars = (count: number) => Array.from({ length: count }, (): Shape => []);
  const attributes = {
    cond: func(writeFunction(writer.model, test, test.name)),
    body: func(writeFunction(writer.model, step, step.name)),
    // Unless told, TensorFlow takes the shapes before the first trip for those of all.
    output_shapes: shapes(
      [
        ...scalars(stops ? 2 : 1),
        ...node.outputs.map((value) => value.shape),
        ...scalars(maxTrips ? 1 : 0),
        ...captures.map((value) => value.shape),
      ].map(shape),
    ),
  };
  const refs = writer.steps(
    'StatelessWhile',
    initial,
    attributes,
    initial.map((operand) => writer.dtype(operand)),
  );
  const first = stops ? 2 : 1;
  node.outputs.forEach((value, i) => writer.set(value, refs[first + i]!));
}

const fromCore = {
  Call: gap('a call is written as the nodes of its function'),
  Foreign: (node) => gap(node.attrs.reason),
  If: writeIf,
  Loop: writeLoop,
  Scan: gap('a Scan is written as a Loop'),
} satisfies Partial<WriteRules<GraphWriter>>;

/** Control flow, both directions. */
export const control = {
  toCore: {
    While: readWhile,
    StatelessWhile: readWhile,
    If: readIf,
    StatelessIf: readIf,
    PartitionedCall: readPartitionedCall,
    StatefulPartitionedCall: readPartitionedCall,
  } satisfies ReadRules,
  fromCore,
};
