import type { FormatAbout } from '@drover/core';
import type { WriteContext } from '@drover/core/format';
import { byteSize } from '@drover/core/option';

/** What TensorFlow checkpoints are, without the code that reads and writes them. */
export const about = {
  id: 'tensorflow',
  title: 'TensorFlow',
  fileNames: {
    usual: 'model.ckpt.index',
    any: ['*.index'],
    inFolder: ['checkpoint', '*.index'],
  },
  options: { read: {}, write: { shardSize: byteSize('largest size of a weight file') } },
} satisfies FormatAbout;

/** What a writer of this format is given. */
export type Writing = WriteContext<typeof about.options.write>;
