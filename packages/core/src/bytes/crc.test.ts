import { Crc, crc32Code, crc32cCode, type CrcCode } from './crc.js';

const text = (value: string) => new TextEncoder().encode(value);
const inTables: CrcCode = { ...crc32Code, native: undefined };

function sumOf(code: CrcCode, ...pieces: Uint8Array[]) {
  const sum = new Crc(code);
  for (const piece of pieces) sum.add(piece);
  return sum.value;
}

test.each<readonly [string, CrcCode, number, number]>([
  // The check values of the catalogue of CRCs, and the sums of 32 zeros (that of RFC 3720, B.4).
  ['CRC-32/ISO-HDLC', crc32Code, 0xcbf43926, 0x190a55ad],
  ['CRC-32/ISO-HDLC without the platform', inTables, 0xcbf43926, 0x190a55ad],
  ['CRC-32/ISCSI', crc32cCode, 0xe3069283, 0x8a9136aa],
])('%s, in pieces of any size', (_, code, check, zeros) => {
  expect(sumOf(code, text('123456789'))).toBe(check);
  expect(sumOf(code, text('1234'), text(''), text('56789'))).toBe(check);
  expect(sumOf(code, new Uint8Array(32))).toBe(zeros);
  expect(sumOf(code, new Uint8Array(13), new Uint8Array(19))).toBe(zeros);
  expect(sumOf(code)).toBe(0);
});

test('the other examples of RFC 3720, B.4', () => {
  const counted = Uint8Array.from({ length: 32 }, (_, i) => i);
  expect(sumOf(crc32cCode, new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
  expect(sumOf(crc32cCode, counted)).toBe(0x46dd794e);
  expect(sumOf(crc32cCode, counted.toReversed())).toBe(0x113fdb5c);
});

test('the lanes sum as the platform does, whatever the length and the place in a buffer', () => {
  const noise = Uint8Array.from({ length: 400 }, (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 24);
  for (let start = 0; start < 8; start++)
    for (let end = start; end < noise.length; end++) {
      const piece = noise.subarray(start, end);
      expect(sumOf(inTables, text('head'), piece)).toBe(sumOf(crc32Code, text('head'), piece));
    }
});
