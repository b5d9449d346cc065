import type { FormatAbout } from '@drover/core';
import type { WriteContext } from '@drover/core/format';
import { inputLayout } from '@drover/core/option';

const options = { read: {}, write: { inputLayout } };

/** What __title__ models are, without the code that reads and writes them. */
export const about: FormatAbout<typeof options.read, typeof options.write> = {
  id: '__name__',
  title: '__title__',
  fileNames: { usual: 'model.__name__', any: ['*.__name__'], inFolder: ['*.__name__'] },
  options,
};

/** What a writer of this format is given. */
export type Writing = WriteContext<typeof options.write>;
