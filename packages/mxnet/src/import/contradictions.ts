import type { DType, Report } from '@drover/core';
import { reportWrongDeclarations } from '@drover/core/format';
import type { SymbolGraph, SymbolNode } from '../codec/symbol.js';
import { mxnetDiagnostics } from '../diagnostics.js';
import { statedType } from './shape-hints.js';

/** Type and shape of a stored array. */
interface Stored {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** What a variable says of its array that is not so. */
function otherwise(node: SymbolNode, { dtype, shape }: Stored): string | undefined {
  const stated = statedType(node);
  const isShaped =
    !stated.dims ||
    (stated.dims.length === shape.length &&
      stated.dims.every((size, i) => size === undefined || size === shape[i]));
  if (isShaped && (stated.dtype ?? dtype) === dtype) return undefined;
  const dims = stated.dims ? `[${stated.dims.map((size) => size ?? '?').join(', ')}]` : '';
  return `${node.name} is declared as ${stated.dtype ?? 'an array'}${dims} and stored as ${dtype}[${shape.join(', ')}]`;
}

/**
 * Reports where the variables of a symbol contradict the stored arrays (`__shape__`, `__dtype__`;
 * `core/wrong-declaration`) or one another by their names (`mxnet/same-variable`). SymbolBlock of
 * MXNet 1.9.1 goes by the arrays and binds them by name, as is done here; Module refuses both.
 */
export function compareVariables(
  { nodes }: SymbolGraph,
  recordOf: (index: number) => Stored | undefined,
  file: string,
  report: Report,
): void {
  const wrong = new Set<string>();
  const seen = new Set<string>();
  for (const [index, node] of nodes.entries()) {
    if (node.op !== null) continue;
    const stored = recordOf(index);
    const found = stored && otherwise(node, stored);
    if (found) wrong.add(found);
    if (seen.has(node.name))
      report.add(
        mxnetDiagnostics.diagnostic('same-variable', {
          message: `Several variables are named ${node.name}; they are taken for one.`,
          origin: { file, node: node.name },
        }),
      );
    seen.add(node.name);
  }
  reportWrongDeclarations('The symbol contradicts its parameters', wrong, file, report);
}
