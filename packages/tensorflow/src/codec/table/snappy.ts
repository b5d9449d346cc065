import { allocateBytes } from '@drover/core/format';
import type { ByteCursor } from './byte-cursor.js';

/** A copy of 64 bytes takes three, so that nothing grows more than so. */
const mostGrowth = 22;

/**
 * The bytes that a snappy block stands for. Throws `tensorflow/table` for a block that is damaged.
 * @see https://github.com/google/snappy/blob/main/format_description.txt
 */
export function decodeSnappy(block: ByteCursor): Uint8Array {
  const length = block.varint();
  if (length > mostGrowth * (block.end - block.at))
    throw block.error(`A block of ${block.end} bytes cannot stand for ${length}`);
  const out = allocateBytes(length, 'A block', { file: block.file, offset: block.base });
  let to = 0;
  const little = (bytes: Uint8Array) => bytes.reduceRight((value, byte) => value * 256 + byte, 0);
  while (block.at < block.end) {
    const tag = block.take(1)[0]!;
    const kind = tag & 3;
    const high = tag >>> 2;
    if (kind === 0) {
      const count = (high < 60 ? high : little(block.take(high - 59))) + 1;
      if (count > length - to) throw block.error('A literal leaves its block');
      out.set(block.take(count), to);
      to += count;
      continue;
    }
    const count = kind === 1 ? (high & 7) + 4 : high + 1;
    const back =
      kind === 1 ? (high >>> 3) * 256 + block.take(1)[0]! : little(block.take(kind === 2 ? 2 : 4));
    if (back === 0 || back > to || count > length - to)
      throw block.error('A copy leaves its block');
    // What is copied may overlap what it is copied to: a run.
    for (let i = 0; i < count; i++, to++) out[to] = out[to - back]!;
  }
  if (to !== length) throw block.error(`A block stands for ${to} bytes and not for ${length}`);
  return out;
}
