import type { FormatAbout } from '@drover/core';
import type { WriteContext } from '@drover/core/format';
import { inputLayout, wholeNumber } from '@drover/core/option';

/** Operator set versions that can be written, and which is when nobody asks for another. */
export const writableOpsets = { from: 13, to: 23, usual: 21 } as const;

/** What ONNX is, without the code that reads and writes it. */
export const about = {
  id: 'onnx',
  title: 'ONNX',
  fileNames: { usual: 'model.onnx', any: ['*.onnx'], inFolder: ['*.onnx'] },
  options: {
    read: {},
    write: {
      opset: wholeNumber(
        `operator set version to write, ${writableOpsets.usual} when absent`,
        writableOpsets,
      ),
      inputLayout,
    },
  },
} satisfies FormatAbout;

/** What a writer of this format is given. */
export type Writing = WriteContext<typeof about.options.write>;
