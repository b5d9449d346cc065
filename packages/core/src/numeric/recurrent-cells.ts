import { toNumbers, type Tensor } from '../tensor/tensor.js';
import {
  activationsOf,
  directions,
  type Recurrence,
  type RecurrentOperands,
} from '../typing/recurrence.js';
import { activations } from './activation.js';
import { addProduct, packLines } from './add-product.js';

/** What a cell of one direction computes with. */
interface CellParts {
  readonly size: number;
  /** Activation k of the direction. */
  activate(k: number, x: number): number;
  /** A number bounded by the clip. */
  clip(x: number): number;
  /** R times a vector and the bias of R, for `count` rows from `first` on, put there in `out`. */
  recur(out: Float64Array, first: number, count: number, vector: Float64Array): void;
  /** Peephole j; 0 where there are none. */
  peephole(j: number): number;
}

/**
 * One step: W x and its bias for all gates begin at `first` of `input`; the states are changed in
 * place.
 */
type Step = (input: Float64Array, first: number, hidden: Float64Array, cell: Float64Array) => void;

/** Rows of a matrix times a vector, into `out`: four at a time, which read the vector once. */
function multiplyVector(
  matrix: Float64Array,
  from: number,
  rows: number,
  vector: Float64Array,
  out: Float64Array,
  to: number,
): void {
  const size = vector.length;
  let row = 0;
  for (; row + 3 < rows; row += 4) {
    let a = from + row * size;
    let [b, c, d] = [a + size, a + 2 * size, a + 3 * size];
    let [s0, s1, s2, s3] = [0, 0, 0, 0];
    for (let i = 0; i < size; i++, a++, b++, c++, d++) {
      const x = vector[i]!;
      s0 += matrix[a]! * x;
      s1 += matrix[b]! * x;
      s2 += matrix[c]! * x;
      s3 += matrix[d]! * x;
    }
    out[to + row] = s0;
    out[to + row + 1] = s1;
    out[to + row + 2] = s2;
    out[to + row + 3] = s3;
  }
  for (; row < rows; row++) {
    let sum = 0;
    for (let i = 0; i < size; i++) sum += matrix[from + row * size + i]! * vector[i]!;
    out[to + row] = sum;
  }
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
  const input = new Float64Array(time * rows);
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
      recur: (out, row, howMany, vector) => {
        multiplyVector(recurrent, (first + row) * size, howMany, vector, out, row);
        if (biases)
          for (let i = row; i < row + howMany; i++) out[i]! += biases[2 * first + rows + i]!;
      },
      peephole: (j) => (holes ? holes[d * 3 * size + j]! : 0),
    });
    for (let n = 0; n < batch; n++) {
      const length = lengths ? Math.min(Math.max(lengths[n]!, 0), time) : time;
      const [state, cell] = [hidden, cells].map((all) =>
        all.subarray((d * batch + n) * size, (d * batch + n + 1) * size),
      ) as [Float64Array, Float64Array];
      input.fill(0);
      if (biases)
        for (let t = 0; t < length; t++)
          input.set(biases.subarray(2 * first, 2 * first + rows), t * rows);
      addProduct(
        packLines(from, n * features, batch * features, 1),
        packLines(weights, first * features, features, 1),
        { data: input, from: 0, rowStep: rows, columnStep: 1 },
        length,
        features,
        rows,
      );
      for (let i = 0; i < length; i++) {
        const t = d === 1 || attrs.direction === 'reverse' ? length - 1 - i : i;
        step(input, t * rows, state, cell);
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
    const past = new Float64Array(4 * size);
    return (input, first, hidden, cell) => {
      recur(past, 0, 4 * size, hidden);
      for (let j = 0; j < size; j++) {
        const gate = (g: number) => input[first + g * size + j]! + past[g * size + j]!;
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
    const [past, update, kept] = [
      new Float64Array(3 * size),
      new Float64Array(size),
      new Float64Array(size),
    ];
    return (input, first, hidden) => {
      recur(past, 0, 2 * size, hidden);
      if (attrs.linearBeforeReset) recur(past, 2 * size, size, hidden);
      for (let j = 0; j < size; j++) {
        update[j] = activate(0, clip(input[first + j]! + past[j]!));
        const reset = activate(0, clip(input[first + size + j]! + past[size + j]!));
        kept[j] = reset * (attrs.linearBeforeReset ? past[2 * size + j]! : hidden[j]!);
      }
      if (attrs.linearBeforeReset) past.set(kept, 2 * size);
      else recur(past, 2 * size, size, kept);
      for (let j = 0; j < size; j++) {
        const gate = input[first + 2 * size + j]! + past[2 * size + j]!;
        hidden[j] = (1 - update[j]!) * activate(1, clip(gate)) + update[j]! * hidden[j]!;
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
    const past = new Float64Array(size);
    return (input, first, hidden) => {
      recur(past, 0, size, hidden);
      for (let j = 0; j < size; j++) hidden[j] = activate(0, clip(input[first + j]! + past[j]!));
    };
  });
  return { y, yH };
}
