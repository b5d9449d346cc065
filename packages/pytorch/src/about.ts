import type { FormatAbout } from '@drover/core';

/** What PyTorch checkpoints are, without the code that reads and writes them. */
export const about = {
  id: 'pytorch',
  title: 'PyTorch',
  fileNames: {
    usual: 'model.pt',
    // Not *.pt2, which is a program, and is read only; nor *.bin, which anything is.
    any: ['*.pt', '*.pth', '*.pth.tar', '*.pt.tar', '*.ckpt', 'pytorch_model.bin'],
    // Not every one: a folder has those of several epochs, or one beside an export of it.
    inFolder: ['model.pt', 'pytorch_model.bin'],
  },
  options: { read: {}, write: {} },
} satisfies FormatAbout;
