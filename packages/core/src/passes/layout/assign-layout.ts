import type { Graph } from '../../graph/graph.js';
import type { Node } from '../../graph/node.js';
import { permutedOrigin } from '../../graph/origin.js';
import type { Value } from '../../graph/value.js';
import { transpose } from '../../ops/transpose.js';
import { evaluateDim, symbolsOf } from '../../tensor/dim.js';
import { bytesOf } from '../../tensor/dtype.js';
import { definePass } from '../define-pass.js';
import { behaviourOf, transposeRole, type Behaviour } from './behaviour.js';
import { FlowNetwork } from './minimum-cut.js';
import { inverse, movesNothing, permutationTo, permuted, type Layout } from './permutation.js';

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
  behaviours: ReadonlyMap<Node, Behaviour>,
  target: Layout,
  freeInputs: boolean,
): { nodes: ReadonlySet<Node>; inputs: ReadonlySet<Value> } {
  const network = new FlowNetwork();
  const [keptSide, movedSide] = [network.vertex(), network.vertex()];
  const vertices = new Map<Node, number>();
  const vertexOf = (node: Node): number => {
    const { fixed } = behaviours.get(node)!;
    if (transposeRole(node, target) === undefined && fixed !== undefined)
      return fixed === 'kept' ? keptSide : movedSide;
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
      const role = transposeRole(user, target);
      if (role === 'does') {
        // This transpose is not needed when the value is permuted already.
        network.arc(producer, movedSide, bytes);
        continue;
      }
      const moves = behaviours.get(user)!.operands.some((i) => user.inputs[i] === value);
      const vertex = moves && role === undefined ? vertexOf(user) : keptSide;
      network.arc(toMoved, vertex, Infinity);
      network.arc(vertex, toKept, Infinity);
    }
    if (graph.outputs.some((output) => output.value === value))
      network.arc(keptSide, toKept, Infinity);
  };
  for (const input of graph.inputs) link(input, inputVertices.get(input)!);
  for (const node of graph.nodes) {
    // A transpose out of the target layout is not needed when its result is permuted back at once.
    if (transposeRole(node, target) === 'undoes')
      network.arc(vertexOf(node), movedSide, cost(node.outputs[0]!, target));
    for (const output of node.outputs)
      link(output, transposeRole(node, target) === 'does' ? keptSide : vertexOf(node));
  }
  const side = network.sinkSide(keptSide, movedSide);
  return {
    nodes: new Set(
      [...behaviours.keys()].filter(
        (node) => transposeRole(node, target) === undefined && side.has(vertexOf(node)),
      ),
    ),
    inputs: new Set(
      graph.inputs.filter((input) => hasLayout(input) && side.has(inputVertices.get(input)!)),
    ),
  };
}

function behavioursOf(graph: Graph, target: Layout): Map<Node, Behaviour> {
  return new Map([...graph.nodes].map((node) => [node, behaviourOf(node, target)]));
}

/**
 * The inputs that would best be fed in a layout: those whose tensors reach operators that need it
 * before anything that cannot move.
 */
export function imageInputs(graph: Graph, layout: Layout): ReadonlySet<Value> {
  return chooseMoved(graph, behavioursOf(graph, layout), layout, true).inputs;
}

/**
 * A constant operand as the permuted node needs it: dimensions of 1 are put in front up to the rank
 * of the result, then all are permuted.
 */
function movedConstant(graph: Graph, value: Value, rank: number, target: Layout): Value {
  const shape = [
    ...new Array<number>(rank - value.rank!).fill(1),
    ...(value.shape as readonly number[]),
  ];
  return graph.constant(
    value.constant!.reshape(shape).transpose(permutationTo(target, rank)),
    value.name,
    value.origin,
  );
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
    const behaviours = behavioursOf(graph, target);
    if (![...behaviours.values()].some(({ fixed }) => fixed === 'moved')) return 0;
    const { nodes: moved } = chooseMoved(graph, behaviours, target, false);
    const transposed = new Map<Value, Map<string, Value>>();
    /** The value in the other layout: one transpose for all its users. */
    const change = (value: Value, perm: readonly number[]): Value => {
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
      hasLayout(value) && value.producer !== undefined && moved.has(value.producer);
    const back = (value: Value) => change(value, inverse(permutationTo(target, value.rank!)));
    for (const node of graph.sorted()) {
      const moves = moved.has(node);
      const operands = moves ? behaviours.get(node)!.operands : [];
      node.inputs.forEach((value, i) => {
        if (!value) return;
        if (operands.includes(i)) {
          if (value.constant)
            graph.setInput(
              node,
              i,
              movedConstant(graph, value, Math.max(value.rank!, node.outputs[0]!.rank!), target),
            );
          else if (hasLayout(value) && !isMoved(value))
            graph.setInput(node, i, change(value, permutationTo(target, value.rank!)));
        } else if (isMoved(value)) graph.setInput(node, i, back(value));
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
      node.attrs = behaviours.get(node)!.attrs() as typeof node.attrs;
      graph.infer(node);
      for (const value of node.outputs) {
        const perm = permutationTo(target, value.rank!);
        if (hasLayout(value) && value.origin) value.origin = permutedOrigin(value.origin, perm);
      }
    }
    for (const output of graph.outputs)
      if (isMoved(output.value)) output.value = back(output.value);
    return moved.size;
  },
);
