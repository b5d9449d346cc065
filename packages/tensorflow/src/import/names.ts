import type { TensorRole } from '@drover/core';
import type { ObjectGraph } from '../codec/messages.js';
import { variablesOf } from '../codec/object-graph.js';

/** What the objects of a checkpoint say of its tensors. */
export interface ObjectNames {
  /** The name that a variable had in its program, by the name of its tensor. */
  readonly fullNames: ReadonlyMap<string, string>;
  /** Names of tensors that belong to an optimizer. */
  readonly optimizer: ReadonlySet<string>;
}

/**
 * Names and owners of variables. Objects below an optimizer that no other object refers to are its
 * own; an optimizer is one that keeps slots beside variables, has a learning rate, or is called so.
 */
export function objectNames(graph: ObjectGraph): ObjectNames {
  const { nodes = [] } = graph;
  const optimizers = new Set<number>();
  const slots = new Set<number>();
  for (const [id, { children = [], slotVariables = [] }] of nodes.entries()) {
    for (const { slotVariableNodeId = 0 } of slotVariables) slots.add(slotVariableNodeId);
    const isOne = children.some(({ localName = '' }) => /^_?learning_rate$/.test(localName));
    if (isOne || slotVariables.length > 0) optimizers.add(id);
    for (const { nodeId = 0, localName = '' } of children)
      if (/optimizer$/i.test(localName)) optimizers.add(nodeId);
  }
  // The root is an optimizer only where it is all that was saved.
  const others = reached(graph, [0], (id) => !optimizers.has(id) && !slots.has(id));
  const variables = variablesOf(graph);
  const counted = new Map<string, number>();
  for (const { fullName } of variables) counted.set(fullName, (counted.get(fullName) ?? 0) + 1);
  return {
    fullNames: new Map(
      variables.flatMap(({ name, fullName }) =>
        fullName !== '' && counted.get(fullName) === 1 ? [[name, fullName] as const] : [],
      ),
    ),
    optimizer: new Set(variables.flatMap(({ node, name }) => (others.has(node) ? [] : [name]))),
  };
}

/** The objects that can be reached from some, through those that `isOpen`. */
function reached(
  { nodes = [] }: ObjectGraph,
  from: readonly number[],
  isOpen: (id: number) => boolean,
): ReadonlySet<number> {
  const seen = new Set<number>();
  const left = [...from];
  for (let id = left.pop(); id !== undefined; id = left.pop()) {
    if (seen.has(id) || !isOpen(id)) continue;
    seen.add(id);
    for (const { nodeId = 0 } of nodes[id]?.children ?? []) left.push(nodeId);
  }
  return seen;
}

const attribute = /\/\.ATTRIBUTES\/[^/]*$/;
const slotName = /\/(Adam|Momentum|RMSProp|Adagrad|Adadelta|Ftrl|AdaMax|Nadam)(_\d+)?$/;
const optimizerState =
  /\/\.OPTIMIZER_SLOT\/|(^|\/)(global_step|beta\d_power(_\d+)?)$|(^|\/)optimizer\/|(^|\/)_?iter(ation)?s?$/;
const kept = /(^|\/)(moving_mean|moving_variance|ExponentialMovingAverage|save_counter)$/;
const metric = /(^|\/)keras_api\/metrics\//;

/**
 * What a tensor is for, by its name: what the objects of the checkpoint say, then the names of
 * Keras and of TensorFlow 1, whose optimizers put theirs behind the name of the variable.
 */
export function roleOf(
  name: string,
  { optimizer }: Pick<ObjectNames, 'optimizer'>,
  isName: (name: string) => boolean,
): TensorRole {
  const short = name.replace(attribute, '');
  if (optimizer.has(name) || optimizerState.test(short)) return 'optimizer';
  if (slotName.test(short) && isName(short.replace(slotName, ''))) return 'optimizer';
  return kept.test(short) || metric.test(short) ? 'buffer' : 'parameter';
}
