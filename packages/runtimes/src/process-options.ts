/** How the process of a runtime is watched. */
export interface ProcessOptions {
  /** Seconds after which a process that gives no answer is ended; 600 unless told. */
  readonly answerLimit?: number;
}
