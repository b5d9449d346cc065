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
  ['Functional', { module: 'keras.src.models.functional', class_name: 'Functional' }],
  ['Model', { module: 'keras.src.models.functional', class_name: 'Functional' }],
  ['Sequential', { module: 'keras', class_name: 'Sequential' }],
]);

const functions = new Set(['Lambda', 'TFOpLambda', 'SlicingOpLambda']);

const ofKernels = ['kernel_initializer', 'kernel_regularizer', 'kernel_constraint'];
const recurrent = ['time_major', 'implementation'];
const spatialDropout = ['trainable', 'noise_shape'];
const renorm = ['fused', 'renorm', 'renorm_clipping', 'renorm_momentum', 'virtual_batch_size'];

/** Arguments that Keras 2 writes and Keras 3 refuses. None of them changes what is computed. */
const removed: ReadonlyMap<string, readonly string[]> = new Map([
  ['InputLayer', ['ragged']],
  ['Discretization', ['trainable']],
  ['SpatialDropout1D', spatialDropout],
  ['SpatialDropout2D', spatialDropout],
  ['SpatialDropout3D', spatialDropout],
  ['Embedding', ['input_length']],
  ['Conv1DTranspose', ['groups']],
  ['Conv2DTranspose', ['groups']],
  ['Conv3DTranspose', ['groups']],
  ['DepthwiseConv1D', ['groups', ...ofKernels]],
  ['DepthwiseConv2D', ['groups', ...ofKernels]],
  ['SeparableConv1D', ['groups', ...ofKernels]],
  ['SeparableConv2D', ['groups', ...ofKernels]],
  ['LSTM', recurrent],
  ['GRU', recurrent],
  ['SimpleRNN', recurrent],
  ['LSTMCell', recurrent],
  ['GRUCell', recurrent],
  ['RNN', recurrent],
  ['ConvLSTM1D', recurrent],
  ['ConvLSTM2D', recurrent],
  ['ConvLSTM3D', recurrent],
  ['BatchNormalization', renorm],
  ['MultiHeadAttention', ['query_shape', 'key_shape', 'value_shape']],
]);

/** Arguments that have another name. */
const renamed: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map([
  ['InputLayer', new Map([['batch_input_shape', 'batch_shape']])],
  ['LeakyReLU', new Map([['alpha', 'negative_slope']])],
]);

const activations = ['activation', 'recurrent_activation'];

/**
 * The configuration of a model as Keras 3 reads it, in the form that `.keras` has, from that of
 * Keras 2 or 3. What the model computes stays; how it was compiled is left out. Classes are named
 * and never looked up.
 */
export function toKeras3(model: JsonValue, from: Generation): Translation {
  const findings: LayerFinding[] = [];
  const isSame = from === 3;
  const context = { findings, isSame, nested: new NestedModels([], 0) };
  return { config: isObject(model) ? layerOf(model, context) : model, findings };
}

/** A layer or a model, as an entry of a list of layers or alone. */
function layerOf(layer: JsonObject, context: TranslationContext): JsonObject {
  const entry = entryOf(layer, context, models, functions);
  const { className, name, config: given, isOwn, inbound, build, find } = entry;
  const model = models.get(className);
  const config = model
    ? modelConfig(given, context)
    : isObject(given)
      ? layerConfig(className, given, context, find)
      : given;
  const registered = text(layer, 'registered_name') ?? (isOwn ? null : className);
  return {
    module: isOwn ? 'keras.layers' : (text(layer, 'module') ?? null),
    class_name: className,
    ...model,
    config,
    registered_name: registered,
    ...(build !== undefined && { build_config: build }),
    ...(inbound !== undefined && name !== undefined && { name }),
    ...(Array.isArray(inbound) && {
      inbound_nodes: inbound.map((node: JsonValue) => nodeOf(node, context.nested)),
    }),
  };
}

function modelConfig(config: JsonValue, above: TranslationContext): JsonValue {
  // Keras 1, and Keras 2 before 2.2.3, have the list itself for Sequential.
  const layers = Array.isArray(config) ? config : isObject(config) ? member(config, 'layers') : [];
  const nested = new NestedModels(layers, above.isSame ? 0 : -1);
  const context = { ...above, nested };
  const listed = Array.isArray(layers)
    ? layers.map((layer: JsonValue) => (isObject(layer) ? layerOf(layer, context) : layer))
    : [];
  if (!isObject(config)) return { layers: sequence(layers ?? [], listed) };
  if (member(config, 'input_layers') === undefined)
    return { ...config, layers: sequence(layers ?? [], listed) };
  const outputs = nested.outputs(member(config, 'output_layers') ?? []);
  return { ...config, layers: listed, output_layers: outputs };
}

/** A sequence of layers has to begin with one that says the shape of its input. */
function sequence(before: JsonValue, layers: JsonValue): JsonValue {
  if (!Array.isArray(before) || !Array.isArray(layers)) return layers;
  const [first] = before as readonly JsonValue[];
  const config = isObject(first) ? member(first, 'config') : undefined;
  if (!isObject(first) || text(first, 'class_name') === 'InputLayer' || !isObject(config))
    return layers;
  const shape = member(config, 'batch_input_shape');
  if (shape === undefined) return layers;
  const dtype =
    text(config, 'input_dtype') ??
    (text(first, 'class_name') === 'Embedding' ? 'int32' : 'float32');
  const input = {
    module: 'keras.layers',
    class_name: 'InputLayer',
    config: { batch_shape: shape, dtype, name: `${text(config, 'name') ?? 'sequential'}_input` },
    registered_name: null,
  };
  return [input, ...(layers as readonly JsonValue[])];
}

function layerConfig(
  className: string,
  config: JsonObject,
  context: TranslationContext,
  find: Find,
): JsonObject {
  const left = new Set(context.isSame ? [] : removed.get(className));
  const names = renamed.get(className);
  return Object.fromEntries(
    Object.entries(config).flatMap(([key, value]): readonly (readonly [string, JsonValue])[] => {
      const name = names?.get(key) ?? key;
      if (left.has(key) || name === 'batch_input_shape' || name === 'input_dtype') return [];
      if (activations.includes(key) && value === 'hard_sigmoid' && !context.isSame)
        find('meaning', 'has hard_sigmoid, which Keras 3 computes as x/6 + 1/2, not x/5 + 1/2');
      if (key === 'dtype') return [[name, policyName(value)]];
      // Keras 2 has a list of one for an axis.
      if (key === 'axis' && Array.isArray(value) && value.length === 1)
        return [[name, value[0] as JsonValue]];
      return [[name, partOf(value, context)]];
    }),
  );
}

/** A type, or the policy by which a layer computes in one type and keeps its weights in another. */
function policyName(dtype: JsonValue): JsonValue {
  const config = isObject(dtype) ? member(dtype, 'config') : undefined;
  const isPolicy = isObject(dtype) && text(dtype, 'class_name') === 'Policy';
  return isPolicy && isObject(config) ? (text(config, 'name') ?? dtype) : dtype;
}

/** What stands in the configuration of a layer: a layer within it, an initializer, plain values. */
function partOf(value: JsonValue, context: TranslationContext): JsonValue {
  if (Array.isArray(value)) return value.map((each: JsonValue) => partOf(each, context));
  if (!isObject(value)) return value;
  const className = text(value, 'class_name');
  if (className === undefined) return value;
  if (models.has(className) || builtInLayers.has(className) || /Cell(s|)$/.test(className))
    return layerOf(value, context);
  const config = member(value, 'config');
  if (!isObject(config)) return value;
  // Initializers of Keras 2 before 2.4 say a type.
  const plain = Object.fromEntries(Object.entries(config).filter(([key]) => key !== 'dtype'));
  return { ...value, config: plain };
}

/** The arguments of a call of a layer, from the tensors that Keras 2 lists. */
function nodeOf(node: JsonValue, nested: NestedModels): JsonValue {
  if (!Array.isArray(node)) return node;
  const calls = node as readonly JsonValue[];
  const tensors = calls.map((each) => tensorOf(each, nested));
  if (tensors.length === 0 || tensors.some((tensor) => tensor === undefined)) return node;
  const given = (calls[0] as readonly JsonValue[])[3];
  const keywords = isObject(given)
    ? Object.fromEntries(
        Object.entries(given).map(([key, value]) => [key, tensorOf(value, nested) ?? value]),
      )
    : {};
  const args = tensors.length === 1 ? tensors : [tensors];
  return { args: args as JsonValue, kwargs: keywords };
}

/** A tensor that Keras 2 names by a layer, a call of it, and a result of that. */
function tensorOf(value: JsonValue, nested: NestedModels): JsonValue | undefined {
  if (!Array.isArray(value)) return undefined;
  const [layer, call, result] = value as readonly JsonValue[];
  if (typeof layer !== 'string' || typeof call !== 'number' || typeof result !== 'number')
    return undefined;
  // Keras goes by the history alone; Keras 2 did not write the shape.
  const history = [layer, nested.callOf(layer, call), result];
  const config = { shape: [null], dtype: 'float32', keras_history: history };
  return { class_name: '__keras_tensor__', config };
}
