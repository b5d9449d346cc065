import type { JsonValue } from '@drover/core/format';
import { isObject, member, text, type JsonObject } from '../export/json-object.js';
import type { Find, LayerFinding, Translation } from '../export/translation.js';
import { checkOutputShape, checkPadding } from './check-padding.js';
import { constraintOf, initializerOf, regularizerOf } from './training-arguments.js';

/** Classes of Keras 1 that Keras 2 calls otherwise. */
const classes: ReadonlyMap<string, string> = new Map([
  ['Convolution1D', 'Conv1D'],
  ['Convolution2D', 'Conv2D'],
  ['Convolution3D', 'Conv3D'],
  ['AtrousConvolution1D', 'Conv1D'],
  ['AtrousConvolution2D', 'Conv2D'],
  ['Deconvolution2D', 'Conv2DTranspose'],
  ['SeparableConvolution2D', 'SeparableConv2D'],
  // Dense of Keras 2 takes the last axis of any tensor.
  ['TimeDistributedDense', 'Dense'],
]);

/** What Merge is in Keras 2, by its mode. */
const merges: ReadonlyMap<string, string> = new Map([
  ['sum', 'Add'],
  ['mul', 'Multiply'],
  ['ave', 'Average'],
  ['max', 'Maximum'],
  ['concat', 'Concatenate'],
]);

/** Arguments of any layer that have another name; what an argument means goes by its new name. */
const anywhere: ReadonlyMap<string, string> = new Map(
  Object.entries({
    W_regularizer: 'kernel_regularizer',
    W_constraint: 'kernel_constraint',
    U_regularizer: 'recurrent_regularizer',
    b_regularizer: 'bias_regularizer',
    b_constraint: 'bias_constraint',
    init: 'kernel_initializer',
    inner_init: 'recurrent_initializer',
    bias: 'use_bias',
    border_mode: 'padding',
    dim_ordering: 'data_format',
    inner_activation: 'recurrent_activation',
    dropout_W: 'dropout',
    dropout_U: 'recurrent_dropout',
    nb_filter: 'filters',
    subsample: 'strides',
    subsample_length: 'strides',
    filter_length: 'kernel_size',
    atrous_rate: 'dilation_rate',
  }),
);

const units = { output_dim: 'units' };
const rate = { p: 'rate' };
const pool1d = { pool_length: 'pool_size', stride: 'strides' };

/** Arguments that have another name in some layers, by Keras 2's class. */
const renamed: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map(
  Object.entries<Readonly<Record<string, string>>>({
    Dense: units,
    LSTM: units,
    GRU: units,
    SimpleRNN: units,
    Embedding: {
      init: 'embeddings_initializer',
      W_regularizer: 'embeddings_regularizer',
      W_constraint: 'embeddings_constraint',
    },
    PReLU: { init: 'alpha_initializer' },
    MaxPooling1D: pool1d,
    AveragePooling1D: pool1d,
    UpSampling1D: { length: 'size' },
    Dropout: rate,
    SpatialDropout1D: rate,
    SpatialDropout2D: rate,
    SpatialDropout3D: rate,
    GaussianDropout: rate,
    GaussianNoise: { sigma: 'stddev' },
  }).map(([className, names]) => [className, new Map(Object.entries(names))]),
);

/** Sizes of a kernel, one by one. */
const kernelSizes = ['nb_row', 'nb_col', 'kernel_dim1', 'kernel_dim2', 'kernel_dim3'];

/** What follows from the shape of the input, which the first layer says by itself. */
const inputSizes = ['input_dim', 'input_length', 'input_dtype'];

const dataFormats: ReadonlyMap<JsonValue | undefined, string> = new Map([
  ['tf', 'channels_last'],
  ['th', 'channels_first'],
]);

/** Layers of images whose order of dimensions Keras 1 does not write. */
const withoutOrder = /^(ZeroPadding|Cropping|UpSampling)[23]D$|^SpatialDropout[23]D$/;

/** What holds for a whole model. */
interface ModelContext {
  readonly findings: LayerFinding[];
  /** Convolutions were computed by Theano. */
  readonly isTheano: boolean;
  /** Of the layers that say one. */
  readonly dataFormat: string | undefined;
}

/**
 * The configuration of a model as Keras 2 reads it, from that of Keras 1: classes, arguments and
 * their values by the tables of `keras/legacy/interfaces.py` of Keras 2, and `Merge` by its mode.
 * What has no counterpart is told by layer and argument.
 *
 * @param isTheano Convolutions were computed by Theano, which pads `same` on both sides alike.
 */
export function translateKeras1(model: JsonValue, isTheano: boolean): Translation {
  const findings: LayerFinding[] = [];
  const orders = new Set(ordersOf(model));
  const dataFormat = orders.size === 1 ? [...orders][0] : undefined;
  const context = {
    findings,
    isTheano,
    dataFormat: orders.size === 0 ? 'channels_last' : dataFormat,
  };
  return { config: isObject(model) ? layerOf(model, context) : model, findings };
}

/** The orders of dimensions that layers say. */
function* ordersOf(value: JsonValue): Generator<string> {
  if (Array.isArray(value)) for (const each of value as readonly JsonValue[]) yield* ordersOf(each);
  if (!isObject(value)) return;
  const own = dataFormats.get(member(value, 'dim_ordering'));
  if (own !== undefined) yield own;
  for (const each of Object.values(value)) yield* ordersOf(each);
}

function layerOf(layer: JsonObject, context: ModelContext): JsonObject {
  const before = text(layer, 'class_name') ?? '';
  const given = member(layer, 'config') ?? {};
  const name = text(layer, 'name') ?? (isObject(given) ? text(given, 'name') : undefined);
  const find: Find = (kind, why) =>
    void context.findings.push({ layer: name ?? before, className: before, kind, why });
  if (before === 'Sequential')
    return {
      ...layer,
      config: { name: name ?? 'sequential', layers: sequence(given, context, find) },
    };
  if (!isObject(given)) return layer;
  if (before === 'Model') {
    const layers = member(given, 'layers');
    const translated = Array.isArray(layers)
      ? layers.map((each: JsonValue) => (isObject(each) ? layerOf(each, context) : each))
      : [];
    return { ...layer, config: { ...given, layers: translated } };
  }
  if (before === 'Merge') return { ...layer, ...mergeOf(given, find) };
  const className = classes.get(before) ?? before;
  return { ...layer, class_name: className, config: layerConfig(className, given, context, find) };
}

/** The layers of a sequence, those of sequences in it among them, which have no names there. */
function sequence(config: JsonValue, context: ModelContext, find: Find): readonly JsonObject[] {
  if (!Array.isArray(config)) return [];
  return config.flatMap((layer: JsonValue): readonly JsonObject[] => {
    if (!isObject(layer)) return [];
    const className = text(layer, 'class_name');
    const given = member(layer, 'config') ?? [];
    if (className === 'Sequential') return sequence(given, context, find);
    if (className === 'Merge' && isObject(given) && member(given, 'layers') !== undefined)
      find('meaning', 'begins with a Merge of models, which a sequence of Keras 2 cannot');
    return [layerOf(layer, context)];
  });
}

function mergeOf(config: JsonObject, find: Find): JsonObject {
  const mode = text(config, 'mode') ?? '';
  const name = { name: member(config, 'name') ?? null };
  const isCode = member(config, 'mode_type') !== 'raw';
  const className = isCode ? undefined : merges.get(mode);
  if (className === undefined) {
    if (isCode) find('code', 'has code of Python for its mode');
    else find('meaning', `has the mode ${mode}, for which Keras 2 has no layer that says the same`);
    return { class_name: 'Merge', config };
  }
  const axis = mode === 'concat' && { axis: member(config, 'concat_axis') ?? -1 };
  return { class_name: className, config: { ...name, ...axis } };
}

function layerConfig(
  className: string,
  config: JsonObject,
  context: ModelContext,
  find: Find,
): JsonObject {
  const own = renamed.get(className);
  const left = new Set([
    ...kernelSizes,
    ...(className === 'Embedding' ? ['input_dtype'] : inputSizes),
    ...(className === 'Conv2DTranspose' ? ['output_shape'] : []),
  ]);
  const result = new Map<string, JsonValue>();
  const sizes = kernelSizes.flatMap((key) => member(config, key) ?? []);
  if (sizes.length > 0) result.set('kernel_size', sizes);
  for (const [key, value] of Object.entries(config)) {
    if (key === 'input_dtype' && className === 'InputLayer') result.set('dtype', value);
    else if (key === 'mode' && className === 'BatchNormalization') {
      if (value !== 0) find('meaning', `has mode ${JSON.stringify(value)}, which Keras 2 has not`);
    } else if (key === 'dropout' && className === 'Embedding') {
      if (value !== 0) find('training', `has dropout ${JSON.stringify(value)}, which is left out`);
    } else if (key === 'forget_bias_init') result.set('unit_forget_bias', value === 'one');
    else if (key === 'consume_less') result.set('implementation', value === 'gpu' ? 2 : 1);
    else if (key === 'layer' && isObject(value)) result.set(key, layerOf(value, context));
    else if (!left.has(key)) {
      const name = own?.get(key) ?? anywhere.get(key) ?? key;
      result.set(name, valueOf(name, value, find));
    }
  }
  if (withoutOrder.test(className)) {
    if (context.dataFormat !== undefined) result.set('data_format', context.dataFormat);
    else
      find(
        'meaning',
        'has an order of dimensions that Keras 1 did not write, among layers of both',
      );
  }
  if (className === 'ZeroPadding2D') result.set('padding', paddingOf(member(config, 'padding')));
  // Keras 2 has the bias of the recurrent kernel beside it unless it is told.
  if (className === 'GRU') result.set('reset_after', false);
  const translated = Object.fromEntries(result);
  const shape = member(config, 'output_shape');
  if (className === 'Conv2DTranspose') checkOutputShape(shape, translated, find);
  checkPadding(className, translated, context.isTheano, find);
  return translated;
}

/** The value of an argument that Keras 2 calls `name`. */
function valueOf(name: string, value: JsonValue, find: Find): JsonValue {
  if (name === 'data_format') return dataFormats.get(value) ?? value;
  if (name.endsWith('_initializer')) return initializerOf(value);
  if (name.endsWith('_regularizer')) return regularizerOf(name, value, find);
  if (name.endsWith('_constraint')) return constraintOf(name, value, find);
  return value;
}

/** Rows and columns, or each side by itself, in a list or by name. */
function paddingOf(padding: JsonValue | undefined): JsonValue {
  if (isObject(padding)) {
    const side = (name: string) => member(padding, `${name}_pad`) ?? 0;
    return [
      [side('top'), side('bottom')],
      [side('left'), side('right')],
    ];
  }
  if (!Array.isArray(padding) || padding.length !== 4) return padding ?? null;
  const [top, bottom, left, right] = padding as readonly JsonValue[];
  return [
    [top!, bottom!],
    [left!, right!],
  ];
}
