import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ByteHandle, MemorySink } from '@drover/core';
import { ZipWriter } from '@drover/zip';
import { contents, scratch } from '../testing/fixture.js';
import { drover } from '../testing/in-process.js';

/** Text whose characters are bytes. */
const bytes = (text: string) => Buffer.from(text, 'latin1');
const u4 = (n: number) => String.fromCharCode(n & 255, (n >> 8) & 255, (n >> 16) & 255, n >>> 24);

/** A file of safetensors: a header, whatever it says, and data. */
function safetensors(header: string | object, data: number, size?: bigint): Buffer {
  const text = typeof header === 'string' ? header : JSON.stringify(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(size ?? BigInt(text.length));
  return Buffer.concat([length, bytes(text), Buffer.alloc(data)]);
}

const float = (start: number, end: number) => ({
  dtype: 'F32',
  shape: [(end - start) / 4],
  data_offsets: [start, end],
});

type Entries = readonly (readonly [name: string, content: string])[];

async function zip(entries: Entries): Promise<Buffer> {
  const sink = new MemorySink();
  const archive = new ZipWriter(await sink.create('a.zip'), { names: 'keys' });
  for (const [name, content] of entries) await archive.add(name, ByteHandle.of(bytes(content)));
  await archive.finish();
  await sink.commit();
  return Buffer.from(sink.files.get('a.zip')!);
}

/** A checkpoint of PyTorch with a pickle, and a storage of 16 bytes. */
const pth = (pickle: string, more: Entries = []) =>
  zip([
    ['archive/data.pkl', `\x80\x02${pickle}`],
    ['archive/data/0', '\0'.repeat(16)],
    ['archive/version', '3\n'],
    ...more,
  ]);

const text = (value: string) => `X${u4(value.length)}${value}`;
const number = (value: number) => `J${u4(value)}`;
const shape = (sizes: readonly number[]) => `(${sizes.map(number).join('')}t`;

/** A tensor over the storage: `count` elements that the storage says to have. */
const tensor = (count: number, offset: number, size: number, stride: number) =>
  `ctorch._utils\n_rebuild_tensor_v2\n((${text('storage')}ctorch\nFloatStorage\n` +
  `${text('0')}${text('cpu')}${number(count)}tQ` +
  `${number(offset)}${shape([size])}${shape([stride])}\x89ccollections\nOrderedDict\n)RtR`;
const dict = (key: string, value: string) => `}${text(key)}${value}s.`;
const sound = dict('weight', tensor(4, 0, 4, 1));
const over = (offset: number, size: number, stride: number) =>
  dict('w', tensor(4, offset, size, stride));

/** Sets bytes of every record of a kind in a ZIP archive. */
async function patched(made: Promise<Buffer>, kind: 'local' | 'central', at: number, to: string) {
  const file = await made;
  const signature = kind === 'local' ? 'PK\x03\x04' : 'PK\x01\x02';
  const places: number[] = [];
  for (let place = 0; (place = file.indexOf(signature, place, 'latin1')) >= 0; place++)
    places.push(place);
  expect(places.length).toBeGreaterThan(2);
  for (const place of places) file.write(to, place + at, 'latin1');
  return file;
}

/** Every place of a text in a file, with another of the same length. */
async function renamed(made: Promise<Buffer>, from: string, to: string): Promise<Buffer> {
  const found = (await made).toString('latin1');
  expect([from.length, found.includes(from)]).toEqual([to.length, true]);
  return bytes(found.replaceAll(from, to));
}

type Hostile = readonly [
  what: string,
  code: string,
  says: RegExp,
  content: () => Buffer | Promise<Buffer>,
];

const nested = `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`;
const two = `{"a":${JSON.stringify(float(0, 4))},"a":${JSON.stringify(float(4, 8))}}`;

const inSafetensors: readonly Hostile[] = [
  [
    'a header that ends beyond the file',
    'safetensors/header',
    /101000000/,
    () => safetensors('{}', 0, 101_000_000n),
  ],
  ['a file cut short', 'core/range', /a ends/, () => safetensors({ a: float(0, 8) }, 4)],
  [
    'bytes of two tensors',
    'safetensors/offsets',
    /within the bytes of another/,
    () => safetensors({ a: float(0, 8), b: float(4, 12) }, 12),
  ],
  [
    'bytes of none',
    'safetensors/offsets',
    /are of none/,
    () => safetensors({ a: float(0, 4), b: float(8, 12) }, 12),
  ],
  [
    'bytes behind the last',
    'safetensors/offsets',
    /follow the last/,
    () => safetensors({ a: float(0, 4) }, 8),
  ],
  ['a negative offset', 'safetensors/header', /whole/, () => safetensors({ a: float(-4, 0) }, 4)],
  [
    'a size of a half',
    'safetensors/header',
    /whole/,
    () => safetensors({ a: { ...float(0, 4), shape: [0.5] } }, 4),
  ],
  ['a byte order mark', 'core/unknown-format', /none of/, () => safetensors('\xef\xbb\xbf{}', 0)],
  ['nesting', 'core/limit', /deeper/, () => safetensors(nested, 0)],
  ['two tensors of one name', 'core/duplicate', /"a"/, () => safetensors(two, 8)],
  [
    'a header of 2^63 bytes',
    'core/unknown-format',
    /none of/,
    () => safetensors('{}', 0, 2n ** 63n),
  ],
  [
    'a shard in another folder',
    'core/path',
    /\.\.\/other\.safetensors/,
    () => bytes(JSON.stringify({ weight_map: { a: '../other.safetensors' }, metadata: {} })),
  ],
];

const unsafe = 'pytorch/unsafe';
const system = /os\.system/;
const inPickles: readonly Hostile[] = [
  ['GLOBAL and REDUCE', unsafe, system, () => pth(`cos\nsystem\n(${text('id')}tR.`)],
  [
    'STACK_GLOBAL',
    unsafe,
    system,
    () => pth(`${text('os')}${text('system')}\x93${text('id')}\x85R.`),
  ],
  ['INST', unsafe, system, () => pth(`(${text('id')}ios\nsystem\n.`)],
  ['OBJ', unsafe, system, () => pth(`(cos\nsystem\n${text('id')}o.`)],
  ['NEWOBJ', unsafe, /subprocess\.Popen/, () => pth(`csubprocess\nPopen\n${text('id')}\x85\x81.`)],
  ['BUILD', unsafe, system, () => pth(`cos\nsystem\n}${text('a')}K\x01sb.`)],
  ['an extension code', unsafe, /Extension 1/, () => pth('\x82\x01.')],
  [
    'code behind sound tensors',
    unsafe,
    system,
    () => pth(dict('w', `${tensor(4, 0, 4, 1)}0cos\nsystem\n(${text('id')}tR`)),
  ],
  [
    '200,000 lists in each other',
    'core/limit',
    /nested/,
    () => pth(`${']'.repeat(200_000)}${'a'.repeat(199_999)}.`),
  ],
  ['a text of 2^40 bytes', 'pytorch/pickle', /cut off/, () => pth('\x8d\0\0\0\0\0\x01\0\0.')],
  ['a memo that nothing put there', 'pytorch/pickle', /not kept/, () => pth('h\x07.')],
  ['no end', 'pytorch/pickle', /cut off/, () => pth('}')],
  ['a tensor beyond its storage', 'pytorch/tensor', /"w"/, () => pth(over(0, 5, 1))],
  ['a tensor that begins late', 'pytorch/tensor', /"w"/, () => pth(over(2, 3, 1))],
  ['a negative offset', 'pytorch/tensor', /offset -1/, () => pth(over(-1, 1, 1))],
  ['a negative stride', 'pytorch/tensor', /strides \[-1\]/, () => pth(over(3, 4, -1))],
  [
    'a storage that is larger than its record',
    'pytorch/tensor',
    /16 bytes and not 400/,
    () => pth(dict('w', tensor(400, 0, 4, 1))),
  ],
  [
    'two pickles',
    'pytorch/container',
    /other\/data\.pkl/,
    () => pth(sound, [['other/data.pkl', `\x80\x02${sound}`]]),
  ],
];

const more = () => pth(sound, [['archive/data/1', '\0\0\0\0']]);
const inZip: readonly Hostile[] = [
  [
    'a name that leaves the archive',
    'zip/name',
    /leads out/,
    () => renamed(more(), 'archive/data/1', 'archive/../../'),
  ],
  ['an absolute name', 'zip/name', /./, () => renamed(more(), 'archive/data/1', '/rchive/data/1')],
  ['a name with NUL', 'zip/name', /./, () => renamed(more(), 'archive/data/1', 'archive/data\0 ')],
  [
    'two entries of one name',
    'core/duplicate',
    /archive\/data\/0/,
    () => renamed(more(), 'archive/data/1', 'archive/data/0'),
  ],
  ['a symbolic link', 'zip/name', /link/, () => patched(more(), 'central', 38, '\0\0\xff\xa1')],
  ['encryption', 'zip/unsupported', /encrypted/, () => patched(more(), 'central', 8, '\x09\x08')],
  ['another CRC', 'zip/checksum', /CRC/, () => patched(more(), 'central', 16, 'abcd')],
  [
    'entries that share bytes',
    'zip/overlap',
    /./,
    () => patched(more(), 'central', 20, u4(200) + u4(200)),
  ],
  ['another header', 'zip/format', /header/, () => patched(more(), 'local', 30, 'b')],
];

describe('a hostile checkpoint is refused in words, and nothing is written', () => {
  describe.each([
    ['safetensors', inSafetensors],
    ['a pickle', inPickles],
    ['a ZIP archive', inZip],
  ])('%s', (_, cases) => {
    it.each(cases)('%s', async (__, code, says, content) => {
      const folder = scratch();
      const path = join(folder, 'model.bin');
      writeFileSync(path, await content());
      const before = contents(folder);
      for (const args of [
        ['tensors', path, '--statistics'],
        ['convert', path, join(folder, 'out.safetensors')],
      ]) {
        const ran = await drover(...args, '--json');
        const { diagnostics } = JSON.parse(ran.stdout) as {
          readonly diagnostics: readonly { readonly code: string; readonly message: string }[];
        };
        const codes = [...new Set(diagnostics.map((each) => each.code))];
        const exit = code === 'zip/unsupported' ? 3 : 4;
        expect({ codes, exit: ran.code }).toEqual({ codes: [code], exit });
        expect(diagnostics[0]!.message).toMatch(says);
      }
      expect(contents(folder)).toEqual(before);
    });
  });
});

it('names that objects have are names', async () => {
  const folder = scratch();
  const path = join(folder, 'model.pth');
  writeFileSync(path, await pth(dict('__proto__', tensor(4, 0, 4, 1))));
  const { stdout } = await drover('tensors', path, '--json');
  const { tensors } = JSON.parse(stdout) as { readonly tensors: readonly { name: string }[] };
  expect(tensors.map(({ name }) => name)).toEqual(['__proto__']);
  expect(Object.keys(Object.prototype)).toEqual([]);
});
