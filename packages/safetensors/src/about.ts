import type { FormatAbout } from '@drover/core';
import type { WriteContext } from '@drover/core/format';
import { byteSize } from '@drover/core/option';

/** What safetensors checkpoints are, without the code that reads and writes them. */
export const about = {
  id: 'safetensors',
  title: 'safetensors',
  fileNames: {
    usual: 'model.safetensors',
    any: ['*.safetensors', '*.safetensors.index.json'],
    // Not every one: beside an index lie its shards.
    inFolder: ['*model.safetensors', '*.safetensors.index.json'],
  },
  options: { read: {}, write: { shardSize: byteSize('largest size of a weight file') } },
} satisfies FormatAbout;

/** What a writer of this format is given. */
export type Writing = WriteContext<typeof about.options.write>;
