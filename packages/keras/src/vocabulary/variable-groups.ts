import type { JsonCursor } from '@drover/core/format';
import {
  anatomyOf,
  partAt,
  type Generation,
  type LayerPart,
  type LayerVariable,
} from './layer-variables.js';

/** The variables that an object of a model has for its own. */
export interface VariableGroup {
  /** Where `.keras` and `.weights.h5` have them: `layers/bidirectional/forward_layer/cell`. */
  readonly path: readonly string[];
  /** What they are called: `bidirectional/forward_lstm/lstm_cell`. */
  readonly name: string;
  readonly className: string;
  readonly config: JsonCursor;
  /** The layer of the model that they belong to; of a model within it, that model. */
  readonly layer: string;
  /** undefined for a class whose variables are not known here. */
  readonly variables: readonly LayerVariable[] | undefined;
}

/** Models within models, and wrappers within wrappers. */
const maxDepth = 64;

/**
 * The groups of variables of a model, from its configuration, in the order in which Keras makes
 * them. What is no configuration of a model has none.
 */
export function groupsOf(model: JsonCursor, generation: Generation): readonly VariableGroup[] {
  const groups: VariableGroup[] = [];
  const visit = (
    { className, config }: LayerPart,
    path: readonly string[],
    names: readonly string[],
    isTrained: boolean,
  ): void => {
    const anatomy = anatomyOf(className, config, generation);
    const own = isTrained && !(config.isObject && config.get('trainable')?.value === false);
    groups.push({
      path,
      name: names.join('/'),
      className,
      config,
      layer: names[0] ?? '',
      variables: anatomy?.variables.map(({ name, isTrained: is }) => ({
        name,
        isTrained: is && own,
      })),
    });
    if (path.length > maxDepth) return;
    for (const part of anatomy?.parts ?? [])
      visit(part, [...path, ...part.key], [...names, part.name], own);
  };
  if (model.isObject && model.get('class_name') && model.get('config'))
    visit(partAt([], model), [], [], true);
  return groups;
}
