import { ops, type AttrValues, type Node, type Value } from '@drover/core';
import type { WriteRules } from '@drover/core/format';
import { float, floats, int, text, texts } from '../vocabulary/attribute.js';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import { always, type ReadRules, type ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';
import { meaningOf } from '../vocabulary/word.js';

type RnnAttrs = AttrValues<(typeof ops.RNN)['attrs']>;
type Direction = RnnAttrs['direction'];
type Activation = RnnAttrs['activations'][number];

/** Functions of the gates where none are stated, for one direction. */
const defaults = {
  LSTM: ['Sigmoid', 'Tanh', 'Tanh'],
  GRU: ['Sigmoid', 'Tanh'],
  RNN: ['Tanh'],
} as const;

/**
 * Parameters of an activation function where none are stated; those not here have none (ONNX
 * LSTM-22).
 */
const parameters: {
  readonly [Name in Activation]: { readonly alpha?: number; readonly beta?: number };
} & { readonly __proto__: null } = {
  __proto__: null,
  Affine: { alpha: 1, beta: 0 },
  Elu: { alpha: 1 },
  HardSigmoid: { alpha: 0.2, beta: 0.5 },
  LeakyRelu: { alpha: 0.01 },
  Relu: {},
  ScaledTanh: { alpha: 1, beta: 1 },
  Sigmoid: {},
  Softplus: {},
  Softsign: {},
  Tanh: {},
  ThresholdedRelu: { alpha: 1 },
};

const isActivation = (name: string): name is Activation => name in parameters;

const directionsOf: ReadonlyMap<string, Direction> = new Map<string, Direction>([
  ['forward', 'forward'],
  ['reverse', 'reverse'],
  ['bidirectional', 'bidirectional'],
]);

/** Attributes that the three operators share. */
function attributes(node: SourceNode, kind: keyof typeof defaults, recurrence: Value): RnnAttrs {
  const direction = meaningOf(node, 'direction', directionsOf, 'forward');
  const directions = direction === 'bidirectional' ? 2 : 1;
  const named = node
    .texts('activations')
    ?.map(
      (name) =>
        Object.keys(parameters).find((known) => known.toLowerCase() === name.toLowerCase()) ?? name,
    );
  const activations =
    named && named.length > 0
      ? named
      : Array.from({ length: directions }, () => defaults[kind]).flat();
  if (!activations.every(isActivation))
    throw node.unsupported(`its activations are ${activations.join(', ')}`);
  // Stated parameters are taken in order by the functions that have one.
  const take = (stated: readonly number[], key: 'alpha' | 'beta') => {
    const left = [...stated];
    return activations.flatMap((name) =>
      parameters[name][key] === undefined ? [] : [left.shift() ?? parameters[name][key]],
    );
  };
  const hidden = recurrence.shape?.[2];
  if (typeof hidden !== 'number') throw node.unsupported('its hidden size is not known');
  return {
    hiddenSize: node.int('hidden_size', hidden),
    direction,
    activations,
    activationAlpha: take(node.floats('activation_alpha') ?? [], 'alpha'),
    activationBeta: take(node.floats('activation_beta') ?? [], 'beta'),
    clip: node.has('clip') ? node.float('clip') : null,
  };
}

/** Batch first (layout 1) becomes time first around the operator. */
function timeFirst(node: SourceNode, x: Value | undefined, step: string): Value | undefined {
  return x && node.graph.add(ops.Transpose, { x }, { perm: [1, 0, 2] }, node.step(step)).y;
}

interface Sequence {
  readonly x: Value;
  readonly initial: (index: number) => Value | undefined;
  readonly results: (y: Value, states: readonly Value[]) => readonly Value[];
}

function sequenceOf(node: SourceNode): Sequence {
  const isBatchFirst = node.int('layout', 0) === 1;
  if (!isBatchFirst)
    return {
      x: node.input(0),
      initial: (index) => node.optional(index),
      results: (y, states) => [y, ...states],
    };
  const states = (values: readonly Value[]) =>
    values.map((value, i) => timeFirst(node, value, `state${i}`)!);
  return {
    x: timeFirst(node, node.input(0), 'time_first')!,
    initial: (index) => timeFirst(node, node.optional(index), `initial${index}`),
    results: (y, last) => [
      node.graph.add(ops.Transpose, { x: y }, { perm: [2, 0, 1, 3] }, node.step('batch_first')).y,
      ...states(last),
    ],
  };
}

const readLstm: ToCore = (node) => {
  const { x, initial, results } = sequenceOf(node);
  const operands = {
    x,
    w: node.input(1),
    r: node.input(2),
    b: node.optional(3),
    sequenceLengths: node.optional(4),
    initialH: initial(5),
    initialC: initial(6),
    peepholes: node.optional(7),
  };
  const attrs = {
    ...attributes(node, 'LSTM', operands.r),
    inputForget: node.int('input_forget', 0) === 1,
  };
  const { y, yH, yC } = node.graph.add(ops.LSTM, operands, attrs, node.options);
  return results(y, [yH, yC]);
};

const readGru: ToCore = (node) => {
  const { x, initial, results } = sequenceOf(node);
  const operands = {
    x,
    w: node.input(1),
    r: node.input(2),
    b: node.optional(3),
    sequenceLengths: node.optional(4),
    initialH: initial(5),
  };
  const attrs = {
    ...attributes(node, 'GRU', operands.r),
    linearBeforeReset: node.int('linear_before_reset', 0) === 1,
  };
  const { y, yH } = node.graph.add(ops.GRU, operands, attrs, node.options);
  return results(y, [yH]);
};

const readRnn: ToCore = (node) => {
  const { x, initial, results } = sequenceOf(node);
  const operands = {
    x,
    w: node.input(1),
    r: node.input(2),
    b: node.optional(3),
    sequenceLengths: node.optional(4),
    initialH: initial(5),
  };
  const { y, yH } = node.graph.add(
    ops.RNN,
    operands,
    attributes(node, 'RNN', operands.r),
    node.options,
  );
  return results(y, [yH]);
};

const toCore = {
  GRU: always(readGru),
  LSTM: always(readLstm),
  RNN: always(readRnn),
} satisfies ReadRules;

const shared = (
  { hiddenSize, direction, activations, activationAlpha, activationBeta, clip }: RnnAttrs,
  kind: keyof typeof defaults,
) => {
  const usual = Array.from(
    { length: direction === 'bidirectional' ? 2 : 1 },
    () => defaults[kind],
  ).flat();
  return {
    hidden_size: int(hiddenSize),
    direction: text(direction),
    activations: activations.join() === usual.join() ? undefined : texts(activations),
    activation_alpha: activationAlpha.length > 0 ? floats(activationAlpha) : undefined,
    activation_beta: activationBeta.length > 0 ? floats(activationBeta) : undefined,
    clip: clip === null ? undefined : float(clip),
  };
};

/** Operands in ONNX's order. Lengths are int32 there. */
function operandsOf(node: Node, writer: GraphWriter): (Value | string | undefined)[] {
  return node.inputs.map((value, i) =>
    i === 4 && value?.dtype === 'int64' ? writer.step('Cast', [value], { to: int(6) }) : value,
  );
}

const fromCore = {
  GRU: (node, writer) =>
    writer.node(
      'GRU',
      operandsOf(node as Node, writer),
      { ...shared(node.attrs, 'GRU'), linear_before_reset: int(node.attrs.linearBeforeReset) },
      node.outputs,
    ),
  LSTM: (node, writer) =>
    writer.node(
      'LSTM',
      operandsOf(node as Node, writer),
      { ...shared(node.attrs, 'LSTM'), input_forget: node.attrs.inputForget ? int(1) : undefined },
      node.outputs,
    ),
  RNN: (node, writer) =>
    writer.node('RNN', operandsOf(node as Node, writer), shared(node.attrs, 'RNN'), node.outputs),
} satisfies Partial<WriteRules<GraphWriter>>;

/** Recurrent layers, both directions. */
export const recurrent = { toCore, fromCore };
