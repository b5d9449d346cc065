import type { Structure } from '@drover/core';

/** What the structure says of a quantised tensor: its codes, and what they mean. */
export interface Quantised {
  readonly codes: string;
  /** Without the module, as `per_tensor_affine`. */
  readonly scheme: string;
  readonly parameters: readonly Structure[];
}

const parametersOf: ReadonlyMap<string, readonly string[]> = new Map([
  ['torch.per_tensor_affine', ['scale', 'zero_point']],
  ['torch.per_channel_affine', ['scales', 'zero_points', 'axis']],
]);

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
  const names = parametersOf.get(type);
  const [codes, ...parameters] = (names && partsOf(structure, ['codes', ...names])) ?? [];
  return codes?.kind === 'tensor'
    ? { codes: codes.name, scheme: type.slice('torch.'.length), parameters }
    : undefined;
}
