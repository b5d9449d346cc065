import { Crc, crc32cTables, crc32Tables, type CrcTables } from './crc.js';

const text = (value: string) => new TextEncoder().encode(value);

test.each<readonly [string, CrcTables, number, number]>([
  // The check values of the catalogue of CRCs, and the sums of 32 zeros (that of RFC 3720, B.4).
  ['CRC-32/ISO-HDLC', crc32Tables, 0xcbf43926, 0x190a55ad],
  ['CRC-32/ISCSI', crc32cTables, 0xe3069283, 0x8a9136aa],
])('%s, in pieces of any size', (_, tables, check, zeros) => {
  const sumOf = (...pieces: Uint8Array[]) => {
    const sum = new Crc(tables);
    for (const piece of pieces) sum.add(piece);
    return sum.value;
  };
  expect(sumOf(text('123456789'))).toBe(check);
  expect(sumOf(text('1234'), text(''), text('56789'))).toBe(check);
  expect(sumOf(new Uint8Array(32))).toBe(zeros);
  expect(sumOf(new Uint8Array(13), new Uint8Array(19))).toBe(zeros);
  expect(sumOf()).toBe(0);
});

test('the other examples of RFC 3720, B.4', () => {
  const sumOf = (bytes: Uint8Array) => {
    const sum = new Crc(crc32cTables);
    sum.add(bytes);
    return sum.value;
  };
  const counted = Uint8Array.from({ length: 32 }, (_, i) => i);
  expect(sumOf(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
  expect(sumOf(counted)).toBe(0x46dd794e);
  expect(sumOf(counted.toReversed())).toBe(0x113fdb5c);
});
