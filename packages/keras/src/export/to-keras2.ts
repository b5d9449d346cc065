import type { JsonValue } from '@drover/core/format';
import type { Generation } from '../vocabulary/layer-variables.js';
import { builtInLayers } from '../vocabulary/built-in-layers.js';
import { isObject, member, text, type JsonObject } from './json-object.js';
import { NestedModels } from './nested-models.js';
import {
  entryOf,
  type Find,
  type LayerFinding,
  type Translation,
  type TranslationContext,
} from './translation.js';

const models: ReadonlyMap<string, JsonObject> = new Map([
  ['Functional', { module: 'keras.src.engine.functional', class_name: 'Functional' }],
  // As Keras before 2.4 calls it.
  ['Model', { module: 'keras.src.engine.functional', class_name: 'Functional' }],
  ['Sequential', { module: 'keras', class_name: 'Sequential' }],
]);

const functions = new Set(['Lambda']);

const recurrent = ['zero_output_for_mask', 'seed', 'use_cudnn'];
const adapters = ['lora_rank', 'lora_alpha', 'quantization_config'];

/** Arguments that Keras 3 writes and Keras 2 does not know. */
const removed: ReadonlyMap<string, readonly string[]> = new Map([
  ['InputLayer', ['optional']],
  ['Embedding', adapters],
  ['Dense', adapters],
  ['EinsumDense', [...adapters, 'gate']],
  ['LSTM', recurrent],
  ['GRU', recurrent],
  ['SimpleRNN', recurrent],
  ['LSTMCell', recurrent],
  ['GRUCell', recurrent],
  ['SimpleRNNCell', recurrent],
  ['RNN', recurrent],
  ['ConvLSTM1D', recurrent],
  ['ConvLSTM2D', recurrent],
  ['ConvLSTM3D', recurrent],
  ['LayerNormalization', ['rms_scaling']],
  ['MultiHeadAttention', ['seed', 'use_gate', 'sliding_window', 'flash_attention']],
  ['BatchNormalization', ['renorm', 'renorm_clipping', 'renorm_momentum']],
]);

const renamed: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map([
  ['InputLayer', new Map([['batch_shape', 'batch_input_shape']])],
  ['LeakyReLU', new Map([['negative_slope', 'alpha']])],
]);

/** Arguments that Keras 2 does not do without. */
const required: ReadonlyMap<string, JsonObject> = new Map([
  ['MultiHeadAttention', { query_shape: null, key_shape: null, value_shape: null }],
]);

/** Names of the tensors that a layer is called with after the first. */
const positional: ReadonlyMap<string, readonly string[]> = new Map([
  ['MultiHeadAttention', ['value', 'key']],
]);

/**
 * The configuration of a model as Keras 2.15 reads it, in the form that `.keras` has, from that of
 * Keras 3 or 2. How the model was compiled is left out. Classes are named and never looked up.
 */
export function toKeras2(model: JsonValue, from: Generation): Translation {
  const findings: LayerFinding[] = [];
  const isSame = from === 2;
  const context = { findings, isSame, nested: new NestedModels([], 0) };
  return { config: isObject(model) ? layerOf(model, context) : model, findings };
}

function layerOf(layer: JsonObject, context: TranslationContext): JsonObject {
  const entry = entryOf(layer, context, models, functions);
  const { className, name, config, isOwn, inbound, build, find } = entry;
  const model = models.get(className);
  return {
    module: isOwn ? 'keras.layers' : (text(layer, 'module') ?? null),
    class_name: className,
    ...model,
    config: isObject(config)
      ? model
        ? modelConfig(config, context)
        : layerConfig(className, config, context, find)
      : config,
    registered_name: isOwn ? null : (text(layer, 'registered_name') ?? className),
    ...(build !== undefined && { build_config: build }),
    ...(name !== undefined && { name }),
    ...(Array.isArray(inbound) && {
      inbound_nodes: inbound.map((node: JsonValue) =>
        nodeOf(className, node, context.nested, find),
      ),
    }),
  };
}

function modelConfig(config: JsonObject, above: TranslationContext): JsonObject {
  const nested = new NestedModels(member(config, 'layers'), above.isSame ? 0 : 1);
  const context = { ...above, nested };
  const ends = new Set(['input_layers', 'output_layers']);
  return Object.fromEntries(
    Object.entries(config).map(([key, value]): readonly [string, JsonValue] => {
      if (key === 'layers' && Array.isArray(value))
        return [
          key,
          value.map((layer: JsonValue) => (isObject(layer) ? layerOf(layer, context) : layer)),
        ];
      // Keras 3 has no list around one tensor alone.
      const isOne = ends.has(key) && Array.isArray(value) && typeof value[0] === 'string';
      const listed = isOne ? [value] : value;
      return [key, key === 'output_layers' ? nested.outputs(listed) : listed];
    }),
  );
}

function layerConfig(
  className: string,
  config: JsonObject,
  context: TranslationContext,
  find: Find,
): JsonObject {
  const left = new Set(context.isSame ? [] : removed.get(className));
  const names = renamed.get(className);
  const members = Object.entries(config).flatMap(
    ([key, value]): readonly (readonly [string, JsonValue])[] => {
      if (left.has(key)) return [];
      if (/activation$/.test(key) && value === 'hard_sigmoid' && !context.isSame)
        find('meaning', 'has hard_sigmoid, which Keras 2 computes as x/5 + 1/2, not x/6 + 1/2');
      return [[names?.get(key) ?? key, partOf(value, context)]];
    },
  );
  return { ...required.get(className), ...Object.fromEntries(members) };
}

/** What stands in the configuration of a layer. */
function partOf(value: JsonValue, context: TranslationContext): JsonValue {
  if (Array.isArray(value)) return value.map((each: JsonValue) => partOf(each, context));
  if (!isObject(value)) return value;
  const className = text(value, 'class_name');
  const config = member(value, 'config');
  if (className === undefined || !isObject(config)) return value;
  if (className === 'DTypePolicy') return text(config, 'name') ?? value;
  if (models.has(className) || builtInLayers.has(className)) return layerOf(value, context);
  const plain = Object.entries(config).flatMap(([key, each]) => {
    if (key === 'input_axes' || key === 'output_axes') return [];
    // A generator of Keras 3: weights are stored, so that nothing is drawn.
    return [[key, key === 'seed' && isObject(each) ? null : each] as const];
  });
  const module = member(value, 'module');
  const named = { class_name: className, config: Object.fromEntries(plain) };
  // Without a module Keras 2.15 looks among its own, as older versions wrote it.
  return module === undefined ? named : { module, ...named, registered_name: null };
}

/** The tensors of a call as Keras 2 lists them, each with the other arguments of the call. */
function nodeOf(className: string, node: JsonValue, nested: NestedModels, find: Find): JsonValue {
  if (!isObject(node)) return node;
  const args = member(node, 'args');
  const given = member(node, 'kwargs');
  const [first, ...more] = Array.isArray(args) ? (args as readonly JsonValue[]) : [];
  const names = positional.get(className) ?? [];
  if (first === undefined || more.length > names.length) {
    find('meaning', 'is called in a way that a configuration of Keras 2 cannot say');
    return node;
  }
  const keywords = [
    ...more.map((value, i) => [names[i]!, value] as const),
    ...Object.entries(isObject(given) ? given : {}),
  ].flatMap(([key, value]) =>
    value === null ? [] : [[key, historyOf(value, nested) ?? value] as const],
  );
  const tensors = Array.isArray(first) ? (first as readonly JsonValue[]) : [first];
  return tensors.map((tensor) => [
    ...((historyOf(tensor, nested) as readonly JsonValue[] | undefined) ?? []),
    Object.fromEntries(keywords),
  ]);
}

/** Layer, call and result of a tensor. */
function historyOf(value: JsonValue, nested: NestedModels): JsonValue | undefined {
  if (!isObject(value) || text(value, 'class_name') !== '__keras_tensor__') return undefined;
  const config = member(value, 'config');
  const history = isObject(config) ? member(config, 'keras_history') : undefined;
  if (!Array.isArray(history)) return undefined;
  const [layer, call, result] = history as readonly JsonValue[];
  return typeof layer === 'string' && typeof call === 'number' && result !== undefined
    ? [layer, nested.callOf(layer, call), result]
    : undefined;
}
