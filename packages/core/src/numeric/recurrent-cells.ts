import { toNumbers, type Tensor } from '../tensor/tensor.js';
import {
  activationsOf,
  directions,
  type Recurrence,
  type RecurrentOperands,
} from '../typing/recurrence.js';
import { activations } from './activation.js';

/** What a cell of one direction computes with. */
interface CellParts {
  readonly size: number;
  /** Activation k of the direction. */
  activate(k: number, x: number): number;
  /** A number bounded by the clip. */
  clip(x: number): number;
  /** Row j of R, its bias included, times a vector. */
  recur(row: number, vector: Float64Array): number;
  /** Peephole j; 0 where there are none. */
  peephole(j: number): number;
}

/** One step: `input` is W x and its bias for all gates; the states are changed in place. */
type Step = (input: Float64Array, hidden: Float64Array, cell: Float64Array) => void;

function dot(
  a: Float64Array,
  first: number,
  b: Float64Array,
  second: number,
  count: number,
): number {
  let [s0, s1] = [0, 0];
  let i = 0;
  for (; i + 1 < count; i += 2) {
    s0 += a[first + i]! * b[second + i]!;
    s1 += a[first + i + 1]! * b[second + i + 1]!;
  }
  return i < count ? s0 + s1 + a[first + i]! * b[second + i]! : s0 + s1;
}

/** Runs the cells of all directions over a batch of sequences. */
function run(
  operands: RecurrentOperands<Tensor>,
  attrs: Recurrence,
  makeStep: (parts: CellParts) => Step,
): { y: Tensor; yH: Tensor; yC: Tensor } {
  const { x, w, r } = operands;
  const [time, batch, features] = x.shape as [number, number, number];
  const [count, size, rows] = [directions(attrs), attrs.hiddenSize, w.shape[1]!];
  const numbers = (tensor: Tensor | undefined) => tensor && toNumbers(tensor);
  const [from, weights, recurrent] = [toNumbers(x), toNumbers(w), toNumbers(r)];
  const [biases, lengths, holes] = [
    numbers(operands.b),
    numbers(operands.sequenceLengths),
    numbers(operands.peepholes),
  ];
  const hidden = numbers(operands.initialH)?.slice() ?? new Float64Array(count * batch * size);
  const cells = numbers(operands.initialC)?.slice() ?? new Float64Array(count * batch * size);
  const y = new Float64Array(time * hidden.length);
  const input = new Float64Array(rows);
  for (let d = 0; d < count; d++) {
    const first = d * rows;
    const functions = activationsOf(attrs).slice((d * attrs.activations.length) / count);
    const step = makeStep({
      size,
      activate: (k, value) => {
        const { name, alpha, beta } = functions[k]!;
        return activations[name](value, alpha, beta);
      },
      clip: (value) =>
        attrs.clip === null ? value : Math.min(Math.max(value, -attrs.clip), attrs.clip),
      recur: (row, vector) =>
        dot(recurrent, (first + row) * size, vector, 0, size) +
        (biases ? biases[2 * first + rows + row]! : 0),
      peephole: (j) => (holes ? holes[d * 3 * size + j]! : 0),
    });
    for (let n = 0; n < batch; n++) {
      const length = lengths ? Math.min(Math.max(lengths[n]!, 0), time) : time;
      const [state, cell] = [hidden, cells].map((all) =>
        all.subarray((d * batch + n) * size, (d * batch + n + 1) * size),
      ) as [Float64Array, Float64Array];
      for (let i = 0; i < length; i++) {
        const t = d === 1 || attrs.direction === 'reverse' ? length - 1 - i : i;
        for (let row = 0; row < rows; row++) {
          input[row] =
            dot(weights, (first + row) * features, from, (t * batch + n) * features, features) +
            (biases ? biases[2 * first + row]! : 0);
        }
        step(input, state, cell);
        y.set(state, ((t * count + d) * batch + n) * size);
      }
    }
  }
  const last = (data: Float64Array): Tensor => ({
    dtype: x.dtype,
    shape: [count, batch, size],
    data,
  });
  return {
    y: { dtype: x.dtype, shape: [time, count, batch, size], data: y },
    yH: last(hidden),
    yC: last(cells),
  };
}

/** Long short-term memory in float64 (see the operator LSTM). */
export function runLstm(
  operands: RecurrentOperands<Tensor>,
  attrs: Recurrence & { readonly inputForget: boolean },
): { y: Tensor; yH: Tensor; yC: Tensor } {
  return run(operands, attrs, ({ size, activate, clip, recur, peephole }) => {
    const before = new Float64Array(size);
    return (input, hidden, cell) => {
      before.set(hidden);
      for (let j = 0; j < size; j++) {
        const gate = (g: number) => input[g * size + j]! + recur(g * size + j, before);
        const i = activate(0, clip(gate(0) + peephole(j) * cell[j]!));
        const forget = attrs.inputForget
          ? 1 - i
          : activate(0, clip(gate(2) + peephole(2 * size + j) * cell[j]!));
        cell[j] = forget * cell[j]! + i * activate(1, clip(gate(3)));
        hidden[j] =
          activate(0, clip(gate(1) + peephole(size + j) * cell[j]!)) * activate(2, cell[j]!);
      }
    };
  });
}

/** Gated recurrent units in float64 (see the operator GRU). */
export function runGru(
  operands: RecurrentOperands<Tensor>,
  attrs: Recurrence & { readonly linearBeforeReset: boolean },
): { y: Tensor; yH: Tensor } {
  const { y, yH } = run(operands, attrs, ({ size, activate, clip, recur }) => {
    const [before, update, reset, kept] = Array.from(
      { length: 4 },
      () => new Float64Array(size),
    ) as [Float64Array, Float64Array, Float64Array, Float64Array];
    return (input, hidden) => {
      before.set(hidden);
      for (let j = 0; j < size; j++) {
        update[j] = activate(0, clip(input[j]! + recur(j, before)));
        reset[j] = activate(0, clip(input[size + j]! + recur(size + j, before)));
        kept[j] = reset[j]! * before[j]!;
      }
      for (let j = 0; j < size; j++) {
        const past = attrs.linearBeforeReset
          ? reset[j]! * recur(2 * size + j, before)
          : recur(2 * size + j, kept);
        hidden[j] =
          (1 - update[j]!) * activate(1, clip(input[2 * size + j]! + past)) +
          update[j]! * before[j]!;
      }
    };
  });
  return { y, yH };
}

/** Simple recurrent units in float64 (see the operator RNN). */
export function runRnn(
  operands: RecurrentOperands<Tensor>,
  attrs: Recurrence,
): { y: Tensor; yH: Tensor } {
  const { y, yH } = run(operands, attrs, ({ size, activate, clip, recur }) => {
    const before = new Float64Array(size);
    return (input, hidden) => {
      before.set(hidden);
      for (let j = 0; j < size; j++) hidden[j] = activate(0, clip(input[j]! + recur(j, before)));
    };
  });
  return { y, yH };
}
