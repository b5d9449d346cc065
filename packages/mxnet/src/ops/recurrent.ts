import { ops, tensor, Weight, type AttrValues, type Node, type Value } from '@drover/core';
import { gap, type Gap, type WriteRules } from '@drover/core/format';
import { cast } from '../vocabulary/build.js';
import type { GraphWriter, Operand, Ref } from '../vocabulary/graph-writer.js';
import type { KeepRules, ReadRules, ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

/**
 * A mode of the fused operator: what it is in core, and where core's gates stand among MXNet's
 * (LSTM i, f, c, o; GRU r, z, n).
 */
interface Mode {
  readonly op: 'LSTM' | 'GRU' | 'RNN';
  readonly order: readonly number[];
  readonly activations: AttrValues<(typeof ops.RNN)['attrs']>['activations'];
}

const modes: ReadonlyMap<string, Mode> = new Map<string, Mode>([
  ['lstm', { op: 'LSTM', order: [0, 3, 1, 2], activations: ['Sigmoid', 'Tanh', 'Tanh'] }],
  ['gru', { op: 'GRU', order: [1, 0, 2], activations: ['Sigmoid', 'Tanh'] }],
  ['rnn_relu', { op: 'RNN', order: [0], activations: ['Relu'] }],
  ['rnn_tanh', { op: 'RNN', order: [0], activations: ['Tanh'] }],
]);

/** Weights of one layer as core has them: [directions, …]. */
interface Layer {
  readonly w: Value;
  readonly r: Value;
  readonly b: Value;
}

/** Sizes of a fused recurrent operator. */
interface Sizes {
  readonly mode: Mode;
  readonly layers: number;
  readonly directions: number;
  readonly hidden: number;
  readonly features: number;
}

/**
 * Cuts the one vector of parameters into layers: all weights come first (layer, direction, input
 * then recurrent), then all biases in the same order.
 */
function unpack(
  node: SourceNode,
  blob: Weight,
  { mode, layers, directions, hidden, features }: Sizes,
): readonly Layer[] {
  const { order } = mode;
  const rows = order.length * hidden;
  let at = 0;
  const take = (count: number, shape: readonly number[]): Weight => {
    const part = blob.slice(0, at, count).reshape(shape);
    at += count;
    return part;
  };
  const matrices = Array.from({ length: layers }, (_, layer) => {
    const width = layer === 0 ? features : directions * hidden;
    return Array.from({ length: directions }, () => ({
      w: take(rows * width, [1, rows, width]).permuteBlocks(1, order),
      r: take(rows * hidden, [1, rows, hidden]).permuteBlocks(1, order),
    }));
  });
  const biases = Array.from({ length: layers }, () =>
    Array.from({ length: directions }, () => {
      const both = [take(rows, [1, rows]), take(rows, [1, rows])].map((bias) =>
        bias.permuteBlocks(1, order),
      );
      return Weight.concat(both, 1);
    }),
  );
  return matrices.map((of, layer) => {
    const constant = (weights: readonly Weight[], name: string) =>
      node.graph.constant(Weight.concat(weights, 0), `${node.name}/${name}_l${layer}`);
    return {
      w: constant(
        of.map(({ w }) => w),
        'w',
      ),
      r: constant(
        of.map(({ r }) => r),
        'r',
      ),
      b: constant(biases[layer]!, 'b'),
    };
  });
}

function sizesOf(node: SourceNode): Sizes {
  const mode = modes.get(node.text('mode') ?? '');
  if (!mode) throw node.unsupported('its mode is not known');
  const features = node.shape(0)[2];
  if (typeof features !== 'number') throw node.unsupported('the size of its inputs is not known');
  return {
    mode,
    layers: node.int('num_layers'),
    directions: node.bool('bidirectional') ? 2 : 1,
    hidden: node.int('state_size'),
    features,
  };
}

/** Time first; the directions side by side in the last dimension. Layers are separate in core. */
const readRnn: ToCore = (node) => {
  node.ignore('p', 'lstm_state_clip_nan');
  if (node.maybe('projection_size') !== undefined) throw node.unsupported('it projects its states');
  if (
    node.maybe('lstm_state_clip_min') !== undefined ||
    node.maybe('lstm_state_clip_max') !== undefined
  )
    throw node.unsupported('it clips its cell states');
  const sizes = sizesOf(node);
  const { mode, layers, directions, hidden } = sizes;
  const blob = node.input(1).constant;
  if (!blob) throw node.unsupported('its parameters depend on data');
  const isLstm = mode.op === 'LSTM';
  const lengths = node.bool('use_sequence_length')
    ? cast(node, node.input(isLstm ? 4 : 3), 'int32', 'lengths')
    : undefined;
  const emitsStates = node.bool('state_outputs');
  const attrs = {
    hiddenSize: hidden,
    direction: directions === 2 ? ('bidirectional' as const) : ('forward' as const),
    activations: Array.from({ length: directions }, () => mode.activations).flat(),
    activationAlpha: [],
    activationBeta: [],
    clip: null,
  };
  const initial = (index: number, layer: number, name: string): Value => {
    const state = node.input(index);
    if (layers === 1) return state;
    const cut = {
      axes: [0],
      starts: [layer * directions],
      ends: [(layer + 1) * directions],
      steps: [1],
    };
    return node.graph.add(ops.Slice, { x: state }, cut, node.step(`${name}_l${layer}`)).y;
  };
  let x = node.input(0);
  const lastH: Value[] = [];
  const lastC: Value[] = [];
  unpack(node, blob, sizes).forEach((weights, layer) => {
    const operands = { x, ...weights, sequenceLengths: lengths, initialH: initial(2, layer, 'h') };
    const options = node.step(`l${layer}`);
    let y: Value;
    if (isLstm) {
      const results = node.graph.add(
        ops.LSTM,
        { ...operands, initialC: initial(3, layer, 'c') },
        { ...attrs, inputForget: false },
        options,
      );
      y = results.y;
      lastH.push(results.yH);
      lastC.push(results.yC);
    } else {
      const results =
        mode.op === 'GRU'
          ? node.graph.add(ops.GRU, operands, { ...attrs, linearBeforeReset: true }, options)
          : node.graph.add(ops.RNN, operands, attrs, options);
      y = results.y;
      lastH.push(results.yH);
    }
    const isLast = layer === layers - 1;
    const place = (suffix: string) => (isLast ? node.options : node.step(`l${layer}/${suffix}`));
    if (directions === 1) {
      x = node.graph.add(ops.Squeeze, { x: y }, { axes: [1] }, place('y')).y;
      return;
    }
    const [time, , batch] = y.shape ?? [];
    if (time === undefined || batch === undefined)
      throw node.unsupported('the shape of its input is not known');
    const moved = node.graph.add(
      ops.Transpose,
      { x: y },
      { perm: [0, 2, 1, 3] },
      node.step(`l${layer}/directions`),
    ).y;
    x = node.graph.add(
      ops.Reshape,
      { x: moved },
      { shape: [time, batch, directions * hidden] },
      place('y'),
    ).y;
  });
  if (!emitsStates) return x;
  const joined = (states: readonly Value[], step: string) =>
    states.length === 1
      ? states[0]!
      : node.graph.add(ops.Concat, { inputs: states }, { axis: 0 }, node.step(step)).y;
  return isLstm
    ? [x, joined(lastH, 'state'), joined(lastC, 'state_cell')]
    : [x, joined(lastH, 'state')];
};

type Recurrent = Node<typeof ops.LSTM> | Node<typeof ops.GRU> | Node<typeof ops.RNN>;

/**
 * Where MXNet's gates stand among core's: LSTM i, f, c, o among i, o, f, c; GRU r, z, n among z, r,
 * h.
 */
const orders: ReadonlyMap<string, readonly number[]> = new Map([
  ['LSTM', [0, 2, 3, 1]],
  ['GRU', [1, 0, 2]],
  ['RNN', [0]],
]);

/**
 * Mode of the fused operator for the activations that a node states; undefined where it has none.
 */
function modeOf(node: Recurrent): string | undefined {
  const { activations, direction } = node.attrs;
  const each = activations.length / (direction === 'bidirectional' ? 2 : 1);
  const [name] =
    [...modes].find(
      ([, mode]) =>
        mode.op === node.op.name &&
        activations.every((activation, i) => activation === mode.activations[i % each]),
    ) ?? [];
  return name;
}

/** Whether MXNet's fused operator computes what a node states; else the node is decomposed. */
function isFused(node: Node): boolean {
  const recurrent = node as unknown as Recurrent;
  const { w, r, b, sequenceLengths } = recurrent.operands;
  const others = recurrent.operands as { readonly peepholes?: Value };
  const attrs = recurrent.attrs as Recurrent['attrs'] & {
    readonly inputForget?: boolean;
    readonly linearBeforeReset?: boolean;
  };
  const isConstant = [w, r, b].every(
    (value) => value === undefined || value.constant !== undefined,
  );
  return (
    isConstant &&
    !sequenceLengths &&
    !others.peepholes &&
    attrs.clip === null &&
    attrs.inputForget !== true &&
    attrs.linearBeforeReset !== false &&
    modeOf(recurrent) !== undefined
  );
}

/**
 * The one vector of parameters: weights of each direction, input then recurrent, then biases in the
 * same order.
 */
function packed(node: Recurrent, directions: number): Weight {
  const { w, r, b } = node.operands;
  const order = orders.get(node.op.name)!;
  const rows = order.length * node.attrs.hiddenSize;
  const { dtype } = w;
  const flat = (weight: Weight) => weight.reshape([weight.shape.reduce((x, y) => x * y, 1)]);
  const each = Array.from({ length: directions }, (_, i) => i);
  const matrices = each.flatMap((i) =>
    [w, r].map((value) => flat(value.constant!.slice(0, i, 1).permuteBlocks(1, order))),
  );
  const biases = each.flatMap((i) =>
    [0, 1].map((half) => {
      if (!b) return Weight.from(tensor(dtype, [rows], new Array<number>(rows).fill(0)));
      return flat(
        b
          .constant!.slice(0, i, 1)
          .slice(1, half * rows, rows)
          .permuteBlocks(1, order),
      );
    }),
  );
  return Weight.concat([...matrices, ...biases], 0);
}

/** Zeros for a state that starts empty: of a size that is not known, made from the sequence. */
function emptyState(node: Recurrent, writer: GraphWriter, directions: number): Ref {
  const { x } = node.operands;
  const { hiddenSize } = node.attrs;
  const batch = x.shape?.[1];
  if (typeof batch === 'number')
    return writer.step('_zeros', [], { shape: [directions, batch, hiddenSize], dtype: x.dtype });
  const one = writer.cut(writer.cut(x, 0, 0, 1), 2, 0, 1);
  return writer.step('broadcast_axis', [writer.step('zeros_like', [one])], {
    axis: [0, 2],
    size: [directions, hiddenSize],
  });
}

function writeRecurrent(given: Node, writer: GraphWriter): Gap | void {
  const node = given as unknown as Recurrent;
  const { x, initialH } = node.operands;
  const { hiddenSize, direction } = node.attrs;
  const mode = modeOf(node);
  if (!mode || !isFused(given))
    return gap('MXNet runs only plain recurrent layers in one operator');
  const isLstm = mode === 'lstm';
  const initialC = isLstm ? (node as Node<typeof ops.LSTM>).operands.initialC : undefined;
  const directions = direction === 'bidirectional' ? 2 : 1;
  const isReverse = direction === 'reverse';
  const parameters = writer.array(`${node.name}_parameters`, packed(node, directions));
  const sequence: Operand = isReverse ? writer.step('reverse', [x], { axis: [0] }) : x;
  const state: Operand = initialH ?? emptyState(node, writer, directions);
  const inputs: Operand[] = [sequence, parameters, state];
  if (isLstm) inputs.push(initialC ?? (initialH ? emptyState(node, writer, directions) : state));
  const [y, ...states] = node.outputs;
  const usesStates = states.some((value) => value.users.size > 0 || writer.isOutput(value));
  const attributes = {
    mode,
    num_layers: 1,
    state_size: hiddenSize,
    bidirectional: directions === 2,
    state_outputs: usesStates,
  };
  const result = writer.step('RNN', inputs, attributes);
  if (usesStates) states.forEach((value, i) => writer.bind(value, writer.output(result, i + 1)));
  const forward = isReverse ? writer.step('reverse', [result], { axis: [0] }) : result;
  if (directions === 1) return writer.node('expand_dims', [forward], { axis: 1 }, [y!]);
  const split = writer.step('Reshape', [forward], { shape: [0, 0, -4, 2, hiddenSize] });
  writer.node('transpose', [split], { axes: [0, 2, 1, 3] }, [y!]);
}

const toCore = {
  RNN: readRnn,
} satisfies ReadRules;

const fromCore = {
  GRU: (node, writer) => writeRecurrent(node as unknown as Node, writer),
  LSTM: (node, writer) => writeRecurrent(node as unknown as Node, writer),
  RNN: (node, writer) => writeRecurrent(node as unknown as Node, writer),
} satisfies Partial<WriteRules<GraphWriter>>;

const keeps = {
  GRU: isFused,
  LSTM: isFused,
  RNN: isFused,
} satisfies KeepRules;

/** Recurrent layers, both directions. */
export const recurrent = { toCore, fromCore, keeps };
