import type { SymbolNode } from '../codec/symbol.js';
import { outputCounts, outputSuffix } from '../codec/operator.js';

/** The name that MXNet gives to an output of a graph. */
export function headName(node: SymbolNode, output: number, file: string): string {
  if (node.op === null) return node.name;
  // Control flow numbers its outputs only when there are several.
  const isSingle = node.subgraphs.length > 0 && outputCounts(node, file)?.visible === 1;
  const suffix =
    (isSingle ? undefined : outputSuffix(node, output, file)) ??
    (output === 0 ? 'output' : `output${output}`);
  return `${node.name}_${suffix}`;
}
