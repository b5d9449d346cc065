import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import type { Report } from '../diagnostics/report.js';
import type { TensorStore } from '../model/tensor-store.js';
import type { Weight } from '../tensor/weight.js';
import { reportStructure } from './report-structure.js';

/** A tensor under one of its names. */
export interface NamedTensor {
  readonly name: string;
  readonly weight: Weight;
}

/**
 * The tensors of a store under each of their names, for files that are lists of named arrays and
 * nothing else. Tells what such a file does not hold: `core/untied`, `core/texts-left`, and what
 * {@link reportStructure} tells.
 */
export function flatTensors(
  store: TensorStore,
  file: string,
  report: Report,
): readonly NamedTensor[] {
  reportStructure(store, file, report);
  const quoted = (names: Iterable<string>) =>
    Array.from(names, (name) => JSON.stringify(name)).join(', ');
  const texts = [...store.metadata.keys()];
  if (texts.length > 0)
    report.add(
      coreDiagnostics.diagnostic('texts-left', {
        message: `Texts beside the tensors are left out: ${quoted(texts)}.`,
        origin: { file },
      }),
    );
  return [...store].flatMap(({ name, weight, aliases }) => {
    if (aliases.length > 0)
      report.add(
        coreDiagnostics.diagnostic('untied', {
          message: `${quoted([name, ...aliases])} are one tensor, and are stored each by itself.`,
          origin: { file, node: name },
        }),
      );
    return [name, ...aliases].map((each) => ({ name: each, weight }));
  });
}
