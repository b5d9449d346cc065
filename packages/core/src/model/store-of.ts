import type { Graph } from '../graph/graph.js';
import type { Value } from '../graph/value.js';
import { batchNormalization } from '../ops/batch-normalization.js';
import { isFloat } from '../tensor/dtype.js';
import { sizeOf } from '../tensor/tensor.js';
import type { Weight } from '../tensor/weight.js';
import { TensorStore, type StoredTensor, type TensorRole } from './tensor-store.js';

/** Operands of a normalisation that training keeps and does not train. */
const running: ReadonlySet<string> = new Set(['mean', 'variance']);

/** What a tensor is for that no graph uses. */
const unusedRole = ({ dtype, shape }: Weight): TensorRole =>
  isFloat(dtype) && shape.length > 0 ? 'parameter' : 'constant';

/** What a constant is for, as far as its uses in a graph tell. */
function roleOf(value: Value): TensorRole {
  const names = Object.keys(batchNormalization.inputs);
  for (const node of value.users) {
    if (!node.is(batchNormalization)) continue;
    if (node.inputs.some((each, i) => each === value && running.has(names[i]!))) return 'buffer';
  }
  return unusedRole(value.constant!);
}

/** A tensor that a file stores, with what the file says of it. */
export interface FileTensor {
  readonly name: string;
  readonly weight: Weight;
  /** Where the file says none, its uses in the graphs tell. */
  readonly role?: TensorRole | undefined;
}

/** What tells tensors apart that are one: type, shape and the place of the bytes. */
const placeOf = ({ dtype, shape, handle }: Weight) => `${dtype}[${shape.join()}] ${handle.place}`;

/**
 * The store of some graphs: what the file stores, in its order, then what else their constants are
 * made of, under the source's names, and constants that a program made under their own. Tensors
 * that are the same bytes of the file are one, with the further names as aliases.
 */
export function storeOf(graphs: Iterable<Graph>, stored: Iterable<FileTensor> = []): TensorStore {
  const uses = new Map<Weight, Value>();
  for (const graph of graphs)
    for (const value of graph.constants())
      for (const weight of value.constant!.leaves)
        if ((weight.name !== undefined || weight === value.constant) && !uses.has(weight))
          uses.set(weight, value);

  const found = new Map<string, { -readonly [K in keyof StoredTensor]: StoredTensor[K] }>();
  const seen = new Set<Weight>();
  const taken = new Set<string>();
  const add = (wanted: string, weight: Weight, given?: TensorRole): void => {
    seen.add(weight);
    let name = wanted;
    for (let i = 1; taken.has(name); i++) name = `${wanted}_${i}`;
    taken.add(name);
    const use = uses.get(weight);
    const role = given ?? (use ? roleOf(use) : unusedRole(weight));
    const place = sizeOf(weight.shape) > 0 ? placeOf(weight) : name;
    const tied = found.get(place);
    if (tied) tied.aliases = [...tied.aliases, name];
    else found.set(place, { name, weight, role, aliases: [] });
  };
  for (const { name, weight, role } of stored) add(name, weight, role);
  for (const [weight, value] of uses) if (!seen.has(weight)) add(weight.name ?? value.name, weight);
  return new TensorStore(found.values());
}
