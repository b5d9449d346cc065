import { Weight, type WeightStep } from '@drover/core';
import { weightsDiagnostics } from './diagnostics.js';

/** A weight after a step that moves or converts its elements. */
export function applied(weight: Weight, step: WeightStep): Weight {
  switch (step.kind) {
    case 'transpose':
      return weight.transpose(step.perm);
    case 'reshape':
      return weight.reshape(step.shape);
    case 'slice':
      return weight.slice(step.axis, step.start, step.size);
    case 'reverse':
      return weight.reverse(step.axis);
    case 'cast':
      return weight.cast(step.dtype);
    case 'affine':
      return weight.affine(step.dtype, step.scale, step.offset);
  }
}

/**
 * A weight over other stored tensors: `other` gives what stands for one, or undefined to keep it.
 * Throws `weights/computed` where the elements were computed from a tensor that changes, and how is
 * not known.
 */
export function substituted(weight: Weight, other: (stored: Weight) => Weight | undefined): Weight {
  const { content } = weight;
  switch (content.kind) {
    case 'stored':
      return other(weight) ?? weight;
    case 'step': {
      const of = substituted(content.of, other);
      return of === content.of ? weight : applied(of, content.step);
    }
    case 'merged': {
      const first = substituted(content.parts[0], other);
      return first === content.parts[0] ? weight : first;
    }
    case 'concat': {
      const parts = content.parts.map((part) => substituted(part, other));
      return parts.every((part, i) => part === content.parts[i])
        ? weight
        : Weight.concat(parts, content.axis);
    }
    case 'computed': {
      const parts = content.parts.map((part) => substituted(part, other));
      if (parts.every((part, i) => part === content.parts[i])) return weight;
      if (content.from) return content.from(parts);
      const changed = weight.origins.find((each) => other(each) !== undefined)!;
      throw weightsDiagnostics.error('computed', {
        message: `${content.op} computed a constant from ${changed.name}, which would change.`,
        origin: { file: '', node: changed.name! },
      });
    }
  }
}
