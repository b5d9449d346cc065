import { isFloat, type Value, type Weight } from '@drover/core';
import { epsilonOf, precisionOf } from '@drover/core/format';

/**
 * Distance from one number that a tensor can hold as it is stored to the next: a part that is the
 * same for all, and a share of the number.
 */
export interface StorageStep {
  readonly absolute: number;
  readonly relative: number;
}

/**
 * The step of a constant's storage where that is coarser than its type: codes with a scale, floats
 * of fewer bits. Undefined where it is stored as what it is.
 */
export function storageStep({ constant }: Value): StorageStep | undefined {
  return constant && storageStepOf(constant);
}

/** The same for a weight. */
export function storageStepOf(weight: Weight): StorageStep | undefined {
  return isFloat(weight.dtype) ? stepOf(weight) : undefined;
}

function stepOf({ content, dtype }: Weight): StorageStep | undefined {
  switch (content.kind) {
    case 'stored':
    case 'computed':
      return undefined;
    case 'merged':
      return stepOf(content.parts[0]);
    case 'concat': {
      const steps = content.parts.flatMap((part) => stepOf(part) ?? []);
      return steps.length === 0
        ? undefined
        : {
            absolute: Math.max(...steps.map(({ absolute }) => absolute)),
            relative: Math.max(...steps.map(({ relative }) => relative)),
          };
    }
    case 'step': {
      const { of, step } = content;
      if (step.kind === 'affine') return { absolute: Math.abs(step.scale), relative: 0 };
      if (step.kind !== 'cast') return stepOf(of);
      const [from, to] = [precisionOf(of.dtype), precisionOf(dtype)];
      if (!from || !to) return stepOf(of);
      return epsilonOf(from) > epsilonOf(to)
        ? { absolute: 0, relative: epsilonOf(from) }
        : stepOf(of);
    }
  }
}
