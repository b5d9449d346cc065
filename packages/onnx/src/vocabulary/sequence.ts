import type { Value } from '@drover/core';

/**
 * A sequence of tensors whose length is known. Core has none: what is done with it at known
 * positions is settled while the model is read.
 */
export class Sequence {
  constructor(readonly elements: readonly Value[]) {}

  /** The tensors that make it up. */
  get values(): readonly Value[] {
    return this.elements;
  }

  /** The same sequence of other tensors. */
  map(change: (value: Value) => Value): Sequence {
    return new Sequence(this.elements.map(change));
  }
}

/**
 * A sequence that a loop collects, as a trip sees it: what was collected before is not known,
 * `elements` is what this trip puts at its end.
 */
export class Collecting extends Sequence {
  override map(change: (value: Value) => Value): Collecting {
    return new Collecting(this.elements.map(change));
  }
}

/**
 * A sequence that a loop has collected: as many tensors as it made trips, which are the slices of
 * `stack` along its first dimension.
 */
export class Collected extends Sequence {
  constructor(readonly stack: Value) {
    super([]);
  }

  override get values(): readonly Value[] {
    return [this.stack];
  }

  override map(change: (value: Value) => Value): Collected {
    return new Collected(change(this.stack));
  }
}
