import type { Structure } from '@drover/core';
import { quantisedParts } from '../codec/tensor-parts.js';

/** What the structure says of a quantised tensor: its codes, and what they mean. */
export interface Quantised {
  readonly codes: string;
  /** Without the module, as `per_tensor_affine`. */
  readonly scheme: string;
  readonly parameters: readonly Structure[];
}

/** Parts of an object by their names; undefined where one is missing. */
export function partsOf(
  structure: Structure,
  names: readonly string[],
): readonly Structure[] | undefined {
  if (structure.kind !== 'opaque' || structure.state?.kind !== 'map') return undefined;
  const parts = new Map(structure.state.entries);
  const found = names.map((name) => parts.get(name));
  return found.every((part) => part !== undefined) ? found : undefined;
}

/** What a structure says of a quantised tensor; undefined for anything else. */
export function quantisedOf(structure: Structure): Quantised | undefined {
  const type = structure.kind === 'opaque' ? structure.type : '';
  const names = quantisedParts.get(type);
  const [codes, ...parameters] = (names && partsOf(structure, ['codes', ...names])) ?? [];
  return codes?.kind === 'tensor'
    ? { codes: codes.name, scheme: type.slice('torch.'.length), parameters }
    : undefined;
}
