import { cloneGraph } from '../../graph/clone.js';
import type { Graph } from '../../graph/graph.js';
import { Node } from '../../graph/node.js';
import type { Value } from '../../graph/value.js';
import { add } from '../../ops/add.js';
import { expand } from '../../ops/expand.js';
import { gru } from '../../ops/gru.js';
import { lstm } from '../../ops/lstm.js';
import { matMul } from '../../ops/mat-mul.js';
import { reverse } from '../../ops/reverse.js';
import { rnn } from '../../ops/rnn.js';
import { scan } from '../../ops/scan.js';
import { squeeze } from '../../ops/squeeze.js';
import { unsqueeze } from '../../ops/unsqueeze.js';
import { sameDim } from '../../tensor/dim.js';
import { tensor } from '../../tensor/tensor.js';
import { Weight } from '../../tensor/weight.js';
import { definePass } from '../define-pass.js';
import { row } from './affine.js';
import { bothOrders, isScalar, madeBy } from './pattern.js';
import { gruCell, lstmCell, rnnCell, type Cell, type Gate } from './recurrent-cell.js';

/** A cell in a Scan, and which of its states are hidden and cell. */
interface Found {
  readonly cell: Cell;
  readonly hidden: number;
  readonly memory: number | undefined;
}

/** The cell that a Scan steps through one sequence, if it yields nothing but hidden states. */
function findCell(node: Node<typeof scan>): Found | undefined {
  const { states, inputAxes, outputAxes } = node.attrs;
  const { graph: body } = node.regions['body']!;
  const isOverTime = [...inputAxes, ...outputAxes].every((axis) => axis === 0);
  if (!isOverTime || inputAxes.length !== 1 || states < 1 || states > 2) return undefined;
  const [x, results] = [body.inputs[states]!, body.outputs.map(({ value }) => value)];
  const yields = (value: Value) => results.slice(states).every((each) => each === value);
  const [first, second] = body.inputs;
  if (states === 1) {
    const cell = yields(results[0]!)
      ? (gruCell(x, first!, results[0]!) ?? rnnCell(x, first!, results[0]!))
      : undefined;
    return cell && { cell, hidden: 0, memory: undefined };
  }
  for (const [hidden, memory] of [
    [0, 1],
    [1, 0],
  ] as const) {
    const [h, c] = hidden === 0 ? [first!, second!] : [second!, first!];
    const cell = yields(results[hidden]!)
      ? lstmCell(x, h, c, results[hidden]!, results[memory]!)
      : undefined;
    if (cell) return { cell, hidden, memory };
  }
  return undefined;
}

/** What is reversed in time [time, …]; undefined for anything else. */
function reversedInTime(value: Value): Value | undefined {
  const node = madeBy(value, reverse);
  return node?.attrs.axes.join() === '0' ? node.operands.x : undefined;
}

/**
 * A Scan over rows of a product with a matrix, plus constants, as one over the rows themselves: its
 * steps multiply.
 */
function withProjection(graph: Graph, node: Node<typeof scan>): Node<typeof scan> | undefined {
  const { states } = node.attrs;
  const { graph: step, captures } = node.regions['body']!;
  const scanned = node.inputs[states]!;
  const size = scanned.shape?.at(-1);
  const added: Weight[] = [];
  const turned = reversedInTime(scanned);
  let value = turned ?? scanned;
  for (let sum = madeBy(value, add); sum && typeof size === 'number'; sum = madeBy(value, add)) {
    const found = bothOrders(sum as Node).find(([, constant]) => row(constant.constant, size));
    if (!found) return undefined;
    added.unshift(row(found[1].constant, size)!);
    value = found[0];
  }
  const product = madeBy(value, matMul);
  const matrix = product?.operands.b.constant;
  const rows = product?.operands.a;
  if (!matrix || matrix.shape.length !== 2 || rows?.rank !== 3) return undefined;
  const body = cloneGraph(step, graph);
  const [before, after] = [
    body.inputs[states]!,
    body.input(rows.name, rows.dtype, rows.shape?.slice(1)),
  ];
  body.inputs.pop();
  body.inputs[states] = after;
  const multiplied = body.add(matMul, { a: after, b: body.constant(matrix) }, {}).y;
  const whole = added.reduce(
    (a, weight) => body.add(add, { a, b: body.constant(weight) }, {}).y,
    multiplied,
  );
  body.replaceUses(before, whole);
  const inputs = node.inputs.map((each, i) => (i === states ? rows : each));
  const attrs = {
    ...node.attrs,
    inputReverse: node.attrs.inputReverse.map((isReverse) => isReverse !== (turned !== undefined)),
  };
  return new Node(
    node.op,
    inputs,
    attrs,
    { body: { graph: body, captures } },
    node.name,
    node.origin,
  );
}

/** The matrices of all gates [1, gates * size, columns]. */
const stacked = (matrices: readonly Weight[]): Weight => {
  const whole = Weight.concat(
    matrices.map((matrix) => matrix.transpose([1, 0])),
    0,
  );
  return whole.reshape([1, ...whole.shape]);
};

function biases(gates: readonly Gate[], size: number): Weight | undefined {
  const all = [...gates.map(({ wb }) => wb), ...gates.map(({ rb }) => rb)];
  const { dtype } = gates[0]!.w;
  if (all.every((each) => each === undefined)) return undefined;
  const whole = Weight.concat(
    all.map((each) => each ?? Weight.from(tensor(dtype, [size], Array<number>(size).fill(0)))),
    0,
  );
  return whole.reshape([1, ...whole.shape]);
}

/** An initial state [1, batch, size]; undefined for zeros, which need not be stated. */
function initialState(graph: Graph, value: Value): Value | undefined {
  const filled = madeBy(value, expand);
  return filled && isScalar(filled.operands.x, 0)
    ? undefined
    : graph.add(unsqueeze, { x: value }, { axes: [0] }).y;
}

/**
 * Puts a recurrent operator in the place of a Scan in which a cell was found, `whole` being the
 * form that shows it.
 */
function replace(
  graph: Graph,
  node: Node<typeof scan>,
  whole: Node<typeof scan>,
  { cell, hidden, memory }: Found,
): boolean {
  const { states, inputReverse, outputReverse } = whole.attrs;
  const size = cell.gates[0]!.r.shape[0]!;
  if (
    cell.gates.some(({ w, r }) => r.shape[0] !== size || r.shape[1] !== size || w.shape[1] !== size)
  )
    return false;
  const { inputs } = whole.operands;
  const batch = inputs[states]!.shape?.[1];
  const fits = ({ shape }: Value) =>
    batch !== undefined && shape?.length === 2 && sameDim(shape[0]!, batch) && shape[1] === size;
  if (!inputs.slice(0, states).every(fits)) return false;
  const constant = (weight: Weight | undefined, name: string) =>
    weight && graph.constant(weight, `${node.name}/${name}`);
  const turned = reversedInTime(inputs[states]!);
  const isBackwards = inputReverse[0] !== (turned !== undefined);
  const operands = {
    x: turned ?? inputs[states]!,
    w: constant(stacked(cell.gates.map(({ w }) => w)), 'w')!,
    r: constant(stacked(cell.gates.map(({ r }) => r)), 'r')!,
    b: constant(biases(cell.gates, size), 'b'),
    initialH: initialState(graph, inputs[hidden]!),
  };
  const attrs = {
    hiddenSize: size,
    direction: isBackwards ? 'reverse' : 'forward',
    activations: cell.activations,
    activationAlpha: [],
    activationBeta: [],
    clip: null,
  } as const;
  const options = { name: node.name, origin: node.origin };
  const made = (() => {
    if (cell.kind === 'LSTM')
      return graph.add(
        lstm,
        { ...operands, initialC: initialState(graph, inputs[memory!]!) },
        { ...attrs, inputForget: false },
        options,
      );
    if (cell.kind === 'GRU')
      return {
        ...graph.add(
          gru,
          operands,
          { ...attrs, linearBeforeReset: cell.linearBeforeReset },
          options,
        ),
        yC: undefined,
      };
    return { ...graph.add(rnn, operands, attrs, options), yC: undefined };
  })();
  node.outputs.forEach((value, i) => {
    const [from, axis] = i >= states ? [made.y, 1] : [i === hidden ? made.yH : made.yC!, 0];
    const aligned = graph.add(squeeze, { x: from }, { axes: [axis] }, options).y;
    const isAligned = i < states || outputReverse[i - states] === isBackwards;
    const result = isAligned
      ? aligned
      : graph.add(reverse, { x: aligned }, { axes: [0] }, options).y;
    result.name = value.name;
    result.origin = value.origin;
    graph.replaceUses(value, result);
  });
  graph.remove(node);
  return true;
}

/**
 * A Scan over a sequence, in either direction, whose body is the cell of an LSTM, a GRU (its reset
 * before or after the product) or a plain RNN becomes that operator. The product with the input may
 * stand before the Scan. The body must compute nothing else; a step that keeps states by a mask
 * does.
 *
 *     %h, %c, %y = Scan(%h0, %c0, %x) { (h, c, x) -> %z = MatMul(%x, %w) + MatMul(%h, %r) + %b;
 *       %i, %f, %g, %o = Split(%z) … }
 *     %y1, %h1, %c1 = LSTM(%x, %w1, %r1, %b1, _, %h0, %c0); %y = Squeeze(%y1) {axes: [1]} …
 */
export const recogniseRecurrent = definePass(
  'recognise-recurrent',
  ['names', 'layout'],
  (graph) => {
    let edits = 0;
    for (const node of graph.sorted()) {
      if (!node.is(scan)) continue;
      const isReplaced = graph.standingFor(node.origin, () =>
        [node, withProjection(graph, node)].some((whole) => {
          const found = whole && findCell(whole);
          return found && replace(graph, node, whole, found);
        }),
      );
      if (isReplaced) edits++;
    }
    return edits;
  },
);
