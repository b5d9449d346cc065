/**
 * One line of the tensor map: which stored tensor of the source a tensor of the target holds, and
 * by which steps.
 */
export interface TensorMapping {
  readonly source: string;
  readonly target: string;
  readonly transform: string;
}
