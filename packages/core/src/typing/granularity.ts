/** Attributes that say which elements share a scale. */
export interface Granularity {
  /** The axis along which scales differ; null: one scale for all. */
  readonly axis: number | null;
  /** Elements along the axis that share a scale; 0: one scale for each index of the axis. */
  readonly blockSize: number;
}
