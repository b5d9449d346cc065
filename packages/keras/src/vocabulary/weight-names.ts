import type { KerasWeights, WeightGroup } from '../codec/weights.js';
import type { VariableGroup } from './variable-groups.js';

/** Containers of layers, which are no part of a name. */
const containers = new Set(['layers', '_layer_checkpoint_dependencies', 'cells']);

/** Attributes of layers that hold a layer of another name. */
const attributes = new Map([
  ['query_dense', 'query'],
  ['key_dense', 'key'],
  ['value_dense', 'value'],
  ['output_dense', 'attention_output'],
]);

const recurrentLayer = /^(lstm|gru|simple_rnn)$/;
const kernelAndBias = ['kernel', 'bias'];
const recurrent = ['kernel', 'recurrent_kernel', 'bias'];

/** The variables of a class by how many there are, where that tells; by the class in snake case. */
const byCount: readonly (readonly [RegExp, readonly string[], exact: boolean])[] = [
  [
    /^(dense|einsum_dense|(query|key|value|output)_dense|conv[123]d(_transpose)?)$/,
    kernelAndBias,
    false,
  ],
  [/^depthwise_conv[12]d$/, kernelAndBias, false],
  [/^separable_conv[12]d$/, ['depthwise_kernel', 'pointwise_kernel', 'bias'], false],
  [/^embedding$/, ['embeddings'], false],
  [/^p_re_lu$/, ['alpha'], false],
  [/^cell$|_cell$/, recurrent, false],
  [/^batch_normalization$/, ['gamma', 'beta', 'moving_mean', 'moving_variance'], true],
  [/^(layer|group)_normalization$/, ['gamma', 'beta'], true],
  [/^optimizer$/, ['iteration', 'learning_rate'], false],
];

/** The class that a key of a path is named after: `conv2d_1` is one of `conv2d`. */
const classOf = (key: string): string => key.replace(/^_/, '').replace(/(?<=.)_\d+$/, '');

/**
 * Names for the weights of a file, in its order, as those who use Keras know them: the layer and
 * the variable, `dense/kernel`, with the models and wrappers around them before, as in
 * `bidirectional/forward_lstm/lstm_cell/kernel`.
 *
 * - In the legacy layout they stand in `weight_names`: without `:0`, and from the layer's name on,
 *   which is put before them where they lack it.
 * - In the layout of variables the configuration tells the names of layers and variables, or the
 *   name that a group keeps and the attributes that lead to it. A variable whose name nothing tells
 *   has its number: `my_layer/0`.
 * - A weight that keeps a name of its own has that.
 *
 * They are not yet told apart.
 */
export function namesOf(
  { layout, groups }: KerasWeights,
  described: readonly VariableGroup[],
): readonly (readonly string[])[] {
  const find =
    layout === 'legacy' ? legacyNames : variableNames(groups, new Map(described.map(byPath)));
  return groups.map((group) => {
    const names = find(group);
    return group.weights.map(({ name }, i) => name ?? names[i]!);
  });
}

const byPath = (group: VariableGroup) => [group.path.join('/'), group] as const;

function legacyNames({ name: layer, weights }: WeightGroup): readonly string[] {
  return weights.map(({ key }) => {
    const plain = key.replace(/:\d+$/, '');
    if (layer === undefined || layer === '') return plain;
    if (plain.startsWith(`${layer}/`)) return plain;
    const at = plain.indexOf(`/${layer}/`);
    if (at >= 0) return plain.slice(at + 1);
    // Keras 1 has dense_1_W for W of dense_1.
    const isJoined = plain.startsWith(`${layer}_`) && !plain.includes('/');
    return `${layer}/${isJoined ? plain.slice(layer.length + 1) : plain}`;
  });
}

function variableNames(
  groups: readonly WeightGroup[],
  described: ReadonlyMap<string, VariableGroup>,
): (group: WeightGroup) => readonly string[] {
  const kept = new Map(groups.map(({ path, name }) => [path.join('/'), name]));
  return ({ path, weights }) => {
    const key = path.join('/');
    const known = described.get(key);
    const name = known?.name ?? nameOfPath(path, kept, described);
    const variables =
      known?.variables?.length === weights.length
        ? known.variables.map((variable) => variable.name)
        : variablesByCount(path.at(-1) ?? '', weights.length);
    const prefix = name === '' ? '' : `${name}/`;
    return weights.map((weight, i) => `${prefix}${variables?.[i] ?? weight.key}`);
  };
}

function nameOfPath(
  path: readonly string[],
  kept: ReadonlyMap<string, string | undefined>,
  described: ReadonlyMap<string, VariableGroup>,
): string {
  return path
    .flatMap((part, i) => {
      if (containers.has(part)) return [];
      const key = path.slice(0, i + 1).join('/');
      const own = described.get(key)?.name.split('/').at(-1) ?? kept.get(key);
      if (own !== undefined) return [own];
      const above = classOf(path[i - 1] ?? '');
      if (part === 'cell' && recurrentLayer.test(above)) return [`${above}_cell`];
      return [attributes.get(part.replace(/^_/, '')) ?? part];
    })
    .join('/');
}

function variablesByCount(key: string, count: number): readonly string[] | undefined {
  const [, names, isExact] = byCount.find(([pattern]) => pattern.test(classOf(key))) ?? [];
  return names && (!isExact || names.length === count) ? names : undefined;
}
