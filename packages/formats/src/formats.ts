import type { Format, FormatAbout } from '@drover/core';
import { about as keras } from '@drover/keras/about';
import { about as mxnet } from '@drover/mxnet/about';
import { about as numpy } from '@drover/numpy/about';
import { about as onnx } from '@drover/onnx/about';
import { about as pytorch } from '@drover/pytorch/about';
import { about as safetensors } from '@drover/safetensors/about';
import { about as tensorflow } from '@drover/tensorflow/about';
import { about as tfjs } from '@drover/tfjs/about';

/** A format of the list: what it is, and its code when it is asked for. */
export interface ListedFormat {
  readonly about: FormatAbout;
  load(): Promise<Format>;
}

/**
 * Every format. What lists formats (flags and help texts, file names, reference pages, test suites)
 * is made from this.
 */
export const formats: readonly ListedFormat[] = [
  { about: onnx, load: async () => (await import('@drover/onnx')).onnx },
  { about: tfjs, load: async () => (await import('@drover/tfjs')).tfjs },
  { about: mxnet, load: async () => (await import('@drover/mxnet')).mxnet },
  { about: pytorch, load: async () => (await import('@drover/pytorch')).pytorch },
  {
    about: safetensors,
    load: async () => (await import('@drover/safetensors')).safetensors,
  },
  { about: tensorflow, load: async () => (await import('@drover/tensorflow')).tensorflow },
  { about: keras, load: async () => (await import('@drover/keras')).keras },
  { about: numpy, load: async () => (await import('@drover/numpy')).numpy },
];

/** The code of every format. */
export function loadFormats(): Promise<readonly Format[]> {
  return Promise.all(formats.map(({ load }) => load()));
}
