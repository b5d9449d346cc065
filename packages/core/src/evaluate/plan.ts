import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import type { Node } from '../graph/node.js';
import { inOrder } from '../graph/order.js';
import type { Value } from '../graph/value.js';

/** What has to be done for the wanted values of a graph. */
export interface Plan {
  readonly wanted: readonly Value[];
  /** The nodes that they rest on, each behind what it needs. */
  readonly order: readonly Node[];
  /** How often each value is asked for: by the operands and captures of those nodes, and wanted. */
  readonly uses: ReadonlyMap<Value, number>;
}

/**
 * Plans the evaluation of some values of a graph from those that are given: what lies behind a
 * given value is not looked at. Throws `core/missing-input` that names an input which is needed and
 * not given.
 */
export function planOf(wanted: readonly Value[], isGiven: (value: Value) => boolean): Plan {
  const maker = (value: Value): Node | undefined => {
    if (isGiven(value) || value.constant) return undefined;
    if (value.producer) return value.producer;
    throw coreDiagnostics.error('missing-input', {
      message: `The input ${JSON.stringify(value.name)} is not given.`,
      origin: { file: '', node: value.name },
    });
  };
  const makers = (values: Iterable<Value>) =>
    [...values].map(maker).filter((node) => node !== undefined);
  const order = inOrder(makers(wanted), (node) => makers(node.dependencies()));
  const uses = new Map<Value, number>();
  const count = (value: Value) => uses.set(value, (uses.get(value) ?? 0) + 1);
  for (const node of order) for (const value of node.dependencies()) count(value);
  for (const value of wanted) count(value);
  return { wanted, order, uses };
}
