import type { JsonValue } from '@drover/core/format';
import { builtInLayers } from '../vocabulary/built-in-layers.js';
import { isObject, member, text, type JsonObject } from './json-object.js';
import type { NestedModels } from './nested-models.js';

/** A layer of a model that its own form in another version of Keras says little of. */
export interface LayerFinding {
  /** The layer's name. */
  readonly layer: string;
  readonly className: string;
  /**
   * `code`: it holds code of Python, or a function of TensorFlow; `custom`: a class that is not
   * Keras' own; `meaning`: the other version computes something else under the same name, or cannot
   * say it; `training`: an argument that works in training alone is left out.
   */
  readonly kind: 'code' | 'custom' | 'meaning' | 'training';
  readonly why: string;
}

/** A configuration of another version of Keras, and what is to be told of it. */
export interface Translation {
  readonly config: JsonValue;
  readonly findings: readonly LayerFinding[];
}

/** What is known on the way through a configuration. */
export interface TranslationContext {
  readonly findings: LayerFinding[];
  /** The models among the layers of the model that is gone through. */
  readonly nested: NestedModels;
  /** The generation stays: only the form that archives have is given. */
  readonly isSame: boolean;
}

/** Tells of a layer. */
export type Find = (kind: LayerFinding['kind'], why: string) => void;

/** What an entry of a list of layers says, whatever the class. */
export interface LayerEntry {
  readonly className: string;
  readonly name: string | undefined;
  readonly config: JsonValue;
  /** Whether the class is Keras' own. */
  readonly isOwn: boolean;
  readonly inbound: JsonValue | undefined;
  /** The shape that a sequence of layers was built for. */
  readonly build: JsonValue | undefined;
  readonly find: Find;
}

/**
 * Reads an entry, and tells of layers that are code, by `functions`, and of classes that are not
 * Keras' own. `models` are the classes of models.
 */
export function entryOf(
  layer: JsonObject,
  { findings }: TranslationContext,
  models: ReadonlyMap<string, unknown>,
  functions: ReadonlySet<string>,
): LayerEntry {
  const className = text(layer, 'class_name') ?? '';
  const config = member(layer, 'config') ?? {};
  const name = text(layer, 'name') ?? (isObject(config) ? text(config, 'name') : undefined);
  const find: Find = (kind, why) =>
    void findings.push({ layer: name ?? className, className, kind, why });
  const isOwn = models.has(className) || builtInLayers.has(className);
  if (functions.has(className))
    find('code', className === 'Lambda' ? 'holds code of Python' : 'is a function of TensorFlow');
  else if (!isOwn) find('custom', 'is of a class that is not Keras’ own');
  return {
    className,
    name,
    config,
    isOwn,
    inbound: member(layer, 'inbound_nodes'),
    build: className === 'Sequential' ? member(layer, 'build_config') : undefined,
    find,
  };
}
