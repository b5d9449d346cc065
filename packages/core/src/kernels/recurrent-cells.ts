import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Recurrence } from './recurrent.js';

/** Operands of recurrent operators. */
export interface RecurrentOperands {
  readonly x: Tensor;
  readonly w: Tensor;
  readonly r: Tensor;
  readonly b?: Tensor | undefined;
  readonly sequenceLengths?: Tensor | undefined;
  readonly initialH?: Tensor | undefined;
  readonly initialC?: Tensor | undefined;
  readonly peepholes?: Tensor | undefined;
}

/** Long short-term memory in float64 (see the operator LSTM). */
export function runLstm(operands: RecurrentOperands, attrs: Recurrence & { readonly inputForget: boolean }): { y: Tensor; yH: Tensor; yC: Tensor } {
  throw coreDiagnostics.error('not-evaluable', { message: `LSTM ${[operands, attrs].length}`, origin: { file: '' } });
}

/** Gated recurrent units in float64 (see the operator GRU). */
export function runGru(operands: RecurrentOperands, attrs: Recurrence & { readonly linearBeforeReset: boolean }): { y: Tensor; yH: Tensor } {
  throw coreDiagnostics.error('not-evaluable', { message: `GRU ${[operands, attrs].length}`, origin: { file: '' } });
}

/** Simple recurrent units in float64 (see the operator RNN). */
export function runRnn(operands: RecurrentOperands, attrs: Recurrence): { y: Tensor; yH: Tensor } {
  throw coreDiagnostics.error('not-evaluable', { message: `RNN ${[operands, attrs].length}`, origin: { file: '' } });
}
