import type { Value } from '@drover/core';

/** A sequence of tensors whose length is known. Core has none: what is done with it at known positions is settled while the model is read. */
export class Sequence {
  constructor(readonly elements: readonly Value[]) {}
}
