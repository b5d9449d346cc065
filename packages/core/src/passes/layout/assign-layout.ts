import type { Graph } from '../../graph/graph.js';
import type { Node } from '../../graph/node.js';
import { permutedOrigin } from '../../graph/origin.js';
import type { Value } from '../../graph/value.js';
import { layoutChange, type LayoutChange } from '../../ops/layout.js';
import { transpose } from '../../ops/transpose.js';
import { unsqueeze } from '../../ops/unsqueeze.js';
import { evaluateDim, symbolsOf } from '../../tensor/dim.js';
import { bytesOf } from '../../tensor/dtype.js';
import { inverse, movesNothing, permutationTo } from '../../typing/permutation.js';
import type { Layout } from '../../typing/window.js';
import { definePass } from '../define-pass.js';
import { FlowNetwork } from './minimum-cut.js';

/** What a dimension that is not known counts as when bytes are weighed. */
const assumedDim = 16;

/** Bytes that a transpose of a value moves; next to nothing when it moves no element. */
function cost(value: Value, target: Layout): number {
  const shape = value.shape!;
  if (shape.length < 3) return 0;
  if (movesNothing(shape, permutationTo(target, shape.length))) return 1;
  const sizes = new Map(
    shape.flatMap((dim) => [...symbolsOf(dim)]).map((name) => [name, assumedDim]),
  );
  return (
    2 +
    bytesOf(
      value.dtype,
      shape.reduce<number>(
        (product, dim) => product * Math.max(1, evaluateDim(dim, sizes) ?? assumedDim),
        1,
      ),
    )
  );
}

/** Whether a value has a layout that can be changed. */
function hasLayout(value: Value | undefined): value is Value {
  return (
    value !== undefined &&
    value.constant === undefined &&
    value.rank !== undefined &&
    value.rank >= 3
  );
}

/**
 * The nodes whose tensors are best permuted to the target layout: the side of a minimum cut where
 * the cost of an arc is the bytes that a transpose there would move. Nodes that need the target
 * layout are on that side, nodes that cannot move and the signature (unless `freeInputs`) are on
 * the other.
 */
function chooseMoved(
  graph: Graph,
  changes: ReadonlyMap<Node, LayoutChange>,
  target: Layout,
  freeInputs: boolean,
): { nodes: ReadonlySet<Node>; inputs: ReadonlySet<Value> } {
  const network = new FlowNetwork();
  const [keptSide, movedSide] = [network.vertex(), network.vertex()];
  const vertices = new Map<Node, number>();
  const vertexOf = (node: Node): number => {
    const { side } = changes.get(node)!;
    if (side !== 'either') return side === 'kept' ? keptSide : movedSide;
    let vertex = vertices.get(node);
    if (vertex === undefined) vertices.set(node, (vertex = network.vertex()));
    return vertex;
  };
  const inputVertices = new Map(
    graph.inputs.map((value) => [value, freeInputs ? network.vertex() : keptSide]),
  );
  const link = (value: Value, producer: number): void => {
    if (!hasLayout(value)) return;
    const bytes = cost(value, target);
    // One transpose serves every user on the other side, so each direction has one arc that is cut.
    const [toMoved, toKept] = [network.vertex(), network.vertex()];
    network.arc(producer, toMoved, bytes);
    network.arc(toKept, producer, bytes);
    for (const user of value.users) {
      const { operands, permutes } = changes.get(user)!;
      // This transpose is not needed when the value is permuted already.
      if (permutes === 'toTarget') network.arc(producer, movedSide, bytes);
      // Another one takes a transpose before it in.
      if (permutes === 'toTarget' || permutes === 'otherwise') continue;
      const vertex = operands.some((i) => user.inputs[i] === value) ? vertexOf(user) : keptSide;
      network.arc(toMoved, vertex, Infinity);
      network.arc(vertex, toKept, Infinity);
    }
    if (graph.outputs.some((output) => output.value === value))
      network.arc(keptSide, toKept, Infinity);
  };
  for (const input of graph.inputs) link(input, inputVertices.get(input)!);
  for (const node of graph.nodes) {
    // A transpose out of the target layout is not needed when its result is permuted back at once.
    const { permutes, results } = changes.get(node)!;
    if (permutes === 'fromTarget')
      network.arc(vertexOf(node), movedSide, cost(node.outputs[0]!, target));
    const staysKept = permutes === 'toTarget' || results === 'kept';
    for (const output of node.outputs) link(output, staysKept ? keptSide : vertexOf(node));
  }
  const side = network.sinkSide(keptSide, movedSide);
  return {
    nodes: new Set(
      [...changes].flatMap(([node, { permutes }]) =>
        permutes !== 'toTarget' && permutes !== 'fromTarget' && side.has(vertexOf(node))
          ? [node]
          : [],
      ),
    ),
    inputs: new Set(
      graph.inputs.filter((input) => hasLayout(input) && side.has(inputVertices.get(input)!)),
    ),
  };
}

function changesOf(graph: Graph, target: Layout): Map<Node, LayoutChange> {
  return new Map([...graph.nodes].map((node) => [node, layoutChange(node, target)]));
}

/**
 * The inputs that would best be fed in a layout: those whose tensors reach operators that need it
 * before anything that cannot move.
 */
export function imageInputs(graph: Graph, layout: Layout): ReadonlySet<Value> {
  return chooseMoved(graph, changesOf(graph, layout), layout, true).inputs;
}

/** A value with dimensions of 1 put in front up to a rank. */
function raisedTo(graph: Graph, value: Value, rank: number): Value {
  const axes = Array.from({ length: rank - value.rank! }, (_, i) => i);
  if (!value.constant)
    return graph.add(
      unsqueeze,
      { x: value },
      { axes },
      { name: `${value.name}/unsqueeze`, origin: value.producer?.origin },
    ).y;
  const shape = [...axes.map(() => 1), ...value.constant.shape];
  return graph.constant(value.constant.reshape(shape), value.name, value.origin);
}

/**
 * Gives every spatial operator the target's layout and moves what lies between along with it, so
 * that the transposes that remain move the fewest bytes. Whether a tensor has a layout follows from
 * the operators that use it, never from its shape.
 *
 *     %h = Conv(%x, %w) {layout: "channelsFirst"}; %y = Relu(%h)         // target channelsLast
 *     %t = Transpose(%x) {perm: [0, 2, 3, 1]}; %h = Conv(%t, %w) {layout: "channelsLast"};
 *       %r = Relu(%h); %y = Transpose(%r) {perm: [0, 3, 1, 2]}
 */
export const assignLayout = definePass<{ readonly target: Layout }>(
  'assign-layout',
  ['names', 'composites'],
  (graph, { target }) => {
    const changes = changesOf(graph, target);
    if (![...changes.values()].some(({ side }) => side === 'moved')) return 0;
    const { nodes: moved } = chooseMoved(graph, changes, target, false);
    const transposed = new Map<Value, Map<string, Value>>();
    /** The value in the other layout: a constant permuted, else one transpose for all its users. */
    const change = (value: Value, perm: readonly number[]): Value => {
      if (value.constant)
        return graph.constant(value.constant.transpose(perm), value.name, value.origin);
      const key = perm.join();
      const entries = transposed.get(value) ?? new Map<string, Value>();
      transposed.set(value, entries);
      const known = entries.get(key);
      if (known) return known;
      const { y } = graph.add(
        transpose,
        { x: value },
        { perm },
        { name: `${value.name}/transpose`, origin: value.producer?.origin },
      );
      y.origin = value.origin && permutedOrigin(value.origin, perm);
      entries.set(key, y);
      return y;
    };
    const isMoved = (value: Value) =>
      hasLayout(value) &&
      value.producer !== undefined &&
      moved.has(value.producer) &&
      changes.get(value.producer)!.results === 'moved';
    const forth = (value: Value) => change(value, permutationTo(target, value.rank!));
    const back = (value: Value) => change(value, inverse(permutationTo(target, value.rank!)));
    for (const node of graph.sorted()) {
      const moves = moved.has(node);
      const { operands, raised, attrs } = changes.get(node)!;
      node.inputs.forEach((value, i) => {
        if (!value) return;
        const isInPlace = isMoved(value);
        if (moves && operands.includes(i)) {
          if (!isInPlace && value.rank! >= 3) graph.setInput(node, i, forth(value));
          return;
        }
        const asItWas = isInPlace ? back(value) : value;
        const isRaised = moves && raised.includes(i);
        const operand = isRaised
          ? forth(raisedTo(graph, asItWas, node.outputs[0]!.rank!))
          : asItWas;
        if (operand !== value) graph.setInput(node, i, operand);
      });
      for (const { captures } of Object.values(node.regions)) {
        captures.forEach((value, i) => {
          if (!isMoved(value)) return;
          captures[i] = back(value);
          captures[i].users.add(node);
          if (![...node.dependencies()].includes(value)) value.users.delete(node);
        });
      }
      if (!moves) continue;
      node.attrs = attrs() as typeof node.attrs;
      graph.infer(node);
      for (const value of node.outputs) {
        const perm = permutationTo(target, value.rank!);
        if (isMoved(value) && value.origin) value.origin = permutedOrigin(value.origin, perm);
      }
    }
    for (const output of graph.outputs)
      if (isMoved(output.value)) output.value = back(output.value);
    return moved.size;
  },
);
