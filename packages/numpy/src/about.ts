import type { FormatAbout } from '@drover/core';
import type { WriteContext } from '@drover/core/format';

/** What NumPy's files are, without the code that reads and writes them. */
export const about = {
  id: 'numpy',
  title: 'NumPy',
  fileNames: {
    usual: 'weights.npz',
    any: ['*.npz', '*.npy'],
    // Not every one: inputs and outputs of models travel in them.
    inFolder: ['weights.npz'],
  },
  options: { read: {}, write: {} },
} satisfies FormatAbout;

/** What a writer of this format is given. */
export type Writing = WriteContext<typeof about.options.write>;
