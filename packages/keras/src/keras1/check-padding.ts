import type { JsonValue } from '@drover/core/format';
import { member, text, type JsonObject } from '../export/json-object.js';
import type { Find } from '../export/translation.js';

const numbers = (value: JsonValue | undefined): readonly number[] =>
  (Array.isArray(value) ? value : [value]).filter((each) => typeof each === 'number');

/**
 * Tells of padding that Keras 2 computes otherwise, if at all. Theano pads `same` on both sides
 * alike, and TensorFlow so that the windows end with the image: that is one for odd kernels in
 * steps of one alone.
 *
 * @param config Under the names of Keras 2.
 */
export function checkPadding(
  className: string,
  config: JsonObject,
  isTheano: boolean,
  find: Find,
): void {
  const own = text(config, 'padding');
  // Of its two convolutions that of the state is always so.
  const padding = className === 'ConvLSTM2D' && own === 'valid' ? 'same' : own;
  if (padding === 'full' || padding === 'half')
    find('meaning', `has border_mode ${padding}, which Keras 2 has not`);
  if (padding !== 'same' || !isTheano) return;
  const kernel = numbers(member(config, 'kernel_size'));
  const isAlike =
    kernel.length > 0 &&
    kernel.every((size) => size % 2 === 1) &&
    numbers(member(config, 'strides')).every((step) => step === 1);
  if (isAlike || className.startsWith('LocallyConnected')) return;
  find('meaning', 'has border_mode same, which Theano pads otherwise than TensorFlow does');
}

/**
 * A transposed convolution of Keras 1 says the shape of its result, of several whose convolution
 * has the shape of its input; tells of a shape that is not the one that Keras 2 takes.
 *
 * @param shape With the batch.
 * @param config Under the names of Keras 2.
 */
export function checkOutputShape(
  shape: JsonValue | undefined,
  config: JsonObject,
  find: Find,
): void {
  const [kernel, strides] = [member(config, 'kernel_size'), member(config, 'strides')].map(numbers);
  const isFirst = member(config, 'data_format') === 'channels_first';
  const sizes = Array.isArray(shape) ? (isFirst ? shape.slice(2) : shape.slice(1, -1)) : [];
  const isSame = member(config, 'padding') === 'same';
  const isOther = (sizes as readonly JsonValue[]).some((size, i) => {
    const [window, step] = [kernel![i] ?? 1, strides![i] ?? 1];
    // Keras 2: input * step, and for `valid` what a window is longer than a step.
    const over = isSame ? 0 : Math.max(window - step, 0);
    return typeof size === 'number' && (size - over) % step !== 0;
  });
  if (isOther)
    find(
      'meaning',
      `has the output_shape ${JSON.stringify(shape)}, which Keras 2 does not take from its input`,
    );
}
