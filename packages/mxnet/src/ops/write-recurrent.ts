import {
  gap,
  tensor,
  Weight,
  type Gap,
  type Node,
  type ops,
  type Value,
  type WriteRules,
} from '@drover/core';
import type { GraphWriter, Operand, Ref } from '../vocabulary/graph-writer.js';

type Recurrent = Node<typeof ops.LSTM> | Node<typeof ops.GRU> | Node<typeof ops.RNN>;

/**
 * Where MXNet's gates stand among core's: LSTM i, f, c, o among i, o, f, c; GRU r, z, n among z, r,
 * h.
 */
const orders = { LSTM: [0, 2, 3, 1], GRU: [1, 0, 2], RNN: [0] } as const;
const usual = { LSTM: ['Sigmoid', 'Tanh', 'Tanh'], GRU: ['Sigmoid', 'Tanh'] } as const;

type Kind = keyof typeof orders;

/**
 * Mode of the fused operator for the activations that a node states; undefined where it has none.
 */
function modeOf(node: Recurrent): string | undefined {
  const kind = node.op.name as Kind;
  const { activations, direction } = node.attrs;
  const each = activations.length / (direction === 'bidirectional' ? 2 : 1);
  const isAll = (of: readonly string[]) => activations.every((name, i) => name === of[i % each]);
  if (kind === 'RNN')
    return isAll(['Tanh']) ? 'rnn_tanh' : isAll(['Relu']) ? 'rnn_relu' : undefined;
  return isAll(usual[kind]) ? kind.toLowerCase() : undefined;
}

/** Whether MXNet's fused operator computes what a node states; else the node is decomposed. */
export function isFused(node: Node): boolean {
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
  const kind = node.op.name as Kind;
  const { w, r, b } = node.operands;
  const order = orders[kind];
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

/** Writing of recurrent layers. */
export const writeRecurrentLayers = {
  GRU: (node, writer) => writeRecurrent(node as unknown as Node, writer),
  LSTM: (node, writer) => writeRecurrent(node as unknown as Node, writer),
  RNN: (node, writer) => writeRecurrent(node as unknown as Node, writer),
} satisfies Partial<WriteRules<GraphWriter>>;
