import type { FormatAbout } from '@drover/core';

/** What PyTorch checkpoints are, without the code that reads them. */
export const about = {
  id: 'pytorch',
  title: 'PyTorch',
  fileNames: {
    usual: 'model.pt',
    any: ['*.pt', '*.pth', '*.pt2', '*.ckpt', '*.pth.tar', '*.pt.tar'],
    inFolder: ['*.pt', '*.pth', 'pytorch_model.bin'],
  },
  options: { read: {}, write: {} },
} satisfies FormatAbout;
