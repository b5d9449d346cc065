import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { listed } from '../diagnostics/listed.js';
import type { Report } from '../diagnostics/report.js';
import type { Structure, TensorStore } from '../model/tensor-store.js';

/** Where the values and objects of a structure stand. */
function* valuesIn(structure: Structure, path = ''): Iterable<string> {
  if (structure.kind === 'value' || structure.kind === 'opaque') yield path || '/';
  else if (structure.kind === 'map')
    for (const [key, each] of structure.entries) yield* valuesIn(each, `${path}/${key}`);
  else if (structure.kind === 'list')
    for (const [i, each] of structure.items.entries()) yield* valuesIn(each, `${path}/${i}`);
}

/** Whether a structure is a flat map of tensors by their names: what a file is read as anyway. */
const isFlat = (structure: Structure): boolean =>
  structure.kind === 'map' &&
  structure.entries.every(([key, each]) => each.kind === 'tensor' && each.name === key);

/**
 * Tells what of a checkpoint's nesting a file of names and tensors does not hold: `core/nesting`,
 * and `core/values-left` where values stand beside the tensors.
 */
export function reportStructure({ structure }: TensorStore, file: string, report: Report): void {
  if (structure === undefined || isFlat(structure)) return;
  const values = [...valuesIn(structure)];
  if (values.length === 0) {
    report.add(
      coreDiagnostics.diagnostic('nesting', {
        message: 'The nesting of the tensors is left out.',
        origin: { file },
      }),
    );
    return;
  }
  report.add(
    coreDiagnostics.diagnostic('values-left', {
      message: `The nesting is left out, and ${values.length} values beside the tensors: ${listed(values)}.`,
      origin: { file },
    }),
  );
}
