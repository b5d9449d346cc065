import type { FormatAbout } from '@drover/core';
import type { WriteContext } from '@drover/core/format';
import { byteSize, wholeNumber } from '@drover/core/option';

/** What Keras files are, without the code that reads and writes them. */
export const about = {
  id: 'keras',
  title: 'Keras',
  fileNames: {
    usual: 'model.weights.h5',
    any: ['*.keras', '*.h5', '*.hdf5', '*.weights.json'],
    inFolder: ['*.keras', '*.h5', '*.weights.json'],
  },
  options: {
    read: {},
    write: {
      kerasVersion: wholeNumber('version of Keras to write', { from: 2, to: 3 }),
      shardSize: byteSize('largest size of a weight file'),
    },
  },
} satisfies FormatAbout;

/** What a writer of this format is given. */
export type Writing = WriteContext<typeof about.options.write>;
