import type { Report } from '@drover/core';
import { listed, type NamedTensor } from '@drover/core/format';
import { numpyDiagnostics } from './diagnostics.js';

/** Tells which tensors of a file are bfloat16, that is elements without a type to NumPy. */
export function reportRaw(tensors: Iterable<NamedTensor>, file: string, report: Report): void {
  const names = Array.from(tensors).flatMap(({ name, weight }) =>
    weight.dtype === 'bfloat16' ? [JSON.stringify(name)] : [],
  );
  if (names.length > 0)
    report.add(
      numpyDiagnostics.diagnostic('raw', {
        message: `bfloat16 stands as raw elements of two bytes in ${listed(names)}.`,
        origin: { file },
      }),
    );
}
