import type { Graph } from '../graph/graph.js';
import type { Value } from '../graph/value.js';
import { batchNormalization } from '../ops/batch-normalization.js';
import { isFloat } from '../tensor/dtype.js';
import type { Weight } from '../tensor/weight.js';
import { TensorStore, type StoredTensor, type TensorRole } from './tensor-store.js';

/** Operands of a normalisation that training keeps and does not train. */
const running: ReadonlySet<string> = new Set(['mean', 'variance']);

/** What a constant is for, as far as its uses in a graph tell. */
function roleOf(value: Value): TensorRole {
  if (!isFloat(value.dtype) || value.rank === 0) return 'constant';
  const names = Object.keys(batchNormalization.inputs);
  for (const node of value.users) {
    if (!node.is(batchNormalization)) continue;
    if (node.inputs.some((each, i) => each === value && running.has(names[i]!))) return 'buffer';
  }
  return 'parameter';
}

/**
 * The store of some graphs: what their constants are made of, under the source's names, and
 * constants that a program made under their own. `roles` says what the source knows of a tensor;
 * the uses tell the rest.
 */
export function storeOf(
  graphs: Iterable<Graph>,
  roles: ReadonlyMap<string, TensorRole> = new Map(),
): TensorStore {
  const found = new Map<Weight, StoredTensor>();
  const taken = new Set<string>();
  const unique = (wanted: string): string => {
    let name = wanted;
    for (let i = 1; taken.has(name); i++) name = `${wanted}_${i}`;
    taken.add(name);
    return name;
  };
  for (const graph of graphs) {
    for (const value of graph.constants()) {
      for (const weight of value.constant!.leaves) {
        if (found.has(weight) || (weight.name === undefined && weight !== value.constant)) continue;
        const name = unique(weight.name ?? value.name);
        const role = roles.get(name) ?? roleOf(value);
        found.set(weight, { name, weight, role, aliases: [] });
      }
    }
  }
  return new TensorStore(found.values());
}
