import { isFloat, TensorStore, type DType, type Report, type StoredTensor } from '@drover/core';
import { convertedTo } from './converted.js';
import { weightsDiagnostics } from './diagnostics.js';
import { isNamedBy } from './name-pattern.js';
import { renamed } from './rules.js';

/** What of a checkpoint is kept, and how. */
export interface StoreEdit {
  /** Patterns of the names that are kept; all where absent. */
  readonly only?: readonly string[] | undefined;
  /** Old and new names; see {@link renamed}. */
  readonly rename?: ReadonlyMap<string, string> | undefined;
  /** The type that floats are stored in. */
  readonly dtype?: DType | undefined;
}

/**
 * Some of the tensors of a store, under other names or in another type. No elements are read but
 * those that are rounded, to tell by how much. Where tensors are left out or renamed the nesting is
 * left out, too. Throws `weights/none` for a pattern that no tensor has, and `core/duplicate` where
 * two get one name.
 */
export async function editStore(
  store: TensorStore,
  { only, rename, dtype }: StoreEdit,
  report: Report,
): Promise<TensorStore> {
  for (const pattern of only ?? [])
    if (
      ![...store].some(({ name, aliases }) =>
        [name, ...aliases].some((each) => isNamedBy(each, [pattern])),
      )
    )
      throw weightsDiagnostics.error('none', {
        message: `No tensor is called ${JSON.stringify(pattern)}.`,
        origin: { file: '', node: pattern },
      });
  const tensors: StoredTensor[] = [];
  for (const { name, weight, role, aliases } of store) {
    const names = [name, ...aliases].filter((each) => !only || isNamedBy(each, only));
    const [first, ...others] = names.map((each) => (rename ? renamed(each, rename) : each));
    if (first === undefined) continue;
    const isRounded = dtype !== undefined && isFloat(weight.dtype);
    tensors.push({
      name: first,
      weight: isRounded ? await convertedTo(weight, dtype, first, report) : weight,
      role,
      aliases: others,
    });
  }
  const { metadata, structure } = store;
  return new TensorStore(tensors, only || rename ? { metadata } : { metadata, structure });
}
