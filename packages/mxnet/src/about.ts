import type { FormatAbout } from '@drover/core';
import type { WriteContext } from '@drover/core/format';
import { inputLayout } from '@drover/core/option';

/** What MXNet models and params files are, without the code that reads and writes them. */
export const about = {
  id: 'mxnet',
  title: 'MXNet',
  fileNames: {
    usual: 'model-symbol.json',
    any: ['*-symbol.json', '*.params'],
    inFolder: ['*-symbol.json'],
    checkpoint: { usual: 'model.params', any: ['*.params'] },
  },
  options: { read: {}, write: { inputLayout } },
} satisfies FormatAbout;

/** What a writer of this format is given. */
export type Writing = WriteContext<typeof about.options.write>;
