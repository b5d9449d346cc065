import type { FormatAbout } from '@drover/core';
import type { WriteContext } from '@drover/core/format';
import { byteSize, choice, inputLayout } from '@drover/core/option';

/** What models and weights of TensorFlow.js are, without the code that reads and writes them. */
export const about = {
  id: 'tfjs',
  title: 'TensorFlow.js',
  fileNames: {
    usual: 'model.json',
    any: ['*.json'],
    inFolder: ['model.json'],
    checkpoint: { usual: 'weights_manifest.json', any: ['*weights_manifest.json'] },
  },
  options: {
    read: {},
    write: {
      inputLayout,
      quantize: choice('storage of float weights', ['f16', 'u8', 'u16'], {
        placeholder: 'type',
        aliases: { float16: 'f16', fp16: 'f16', uint8: 'u8', uint16: 'u16' },
      }),
      shardSize: byteSize('largest size of a weight file'),
    },
  },
} satisfies FormatAbout;

/** What a writer of this format is given. */
export type Writing = WriteContext<typeof about.options.write>;
