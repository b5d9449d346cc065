import type { Writing } from '../about.js';
import type { WriteModelOptions } from '../codec/write-model.js';

const storage = { f16: 'float16', u8: 'uint8', u16: 'uint16' } as const;

/** How weights are stored, as the options of the format say it. */
export function storageOptions({
  quantize,
  shardSize,
}: Writing['options']): Pick<WriteModelOptions, 'quantize' | 'shardBytes'> {
  return {
    ...(shardSize !== undefined && { shardBytes: shardSize }),
    ...(quantize && { quantize: () => storage[quantize] }),
  };
}
