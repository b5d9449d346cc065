import {
  convert,
  MemorySink,
  memorySource,
  openCheckpoint,
  Report,
  tensor,
  TensorStore,
  Weight,
  writeCheckpoint,
  type StoredTensor,
  type Tensor,
} from '@drover/core';
import { npyOf, readArrays } from './codec/index.js';
import { numpy } from './index.js';

const failing = (...codes: readonly string[]) =>
  expect.objectContaining({
    diagnostics: codes.map((code): unknown => expect.objectContaining({ code })),
  });
const stored = (name: string, weight: Tensor | Weight, ...aliases: string[]): StoredTensor => ({
  name,
  weight: weight instanceof Weight ? weight : Weight.from(weight),
  role: 'parameter',
  aliases,
});

/** Writes tensors to a path: the file, and the codes of what is told. */
async function written(path: string, tensors: readonly StoredTensor[]) {
  const [sink, report] = [new MemorySink(), new Report()];
  const checkpoint = { store: new TensorStore(tensors), format: '', versions: {}, file: '' };
  await writeCheckpoint(checkpoint, { to: numpy, sink, path, report });
  return {
    source: memorySource(path, sink.files),
    told: report.diagnostics.map(({ code }) => code),
  };
}

const w = tensor('float32', [2], [1, -2]);

describe('reading', () => {
  it('takes arrays for what they are by their type alone', async () => {
    const { source } = await written('a.npz', [
      stored('w', w),
      stored('steps', tensor('int64', [], [3n])),
    ]);
    expect(await numpy.detect(source)).toBe('checkpoint');
    const { store } = await openCheckpoint(source, numpy);
    expect([...store].map(({ name, role }) => [name, role])).toEqual([
      ['w', 'parameter'],
      ['steps', 'buffer'],
    ]);
  });

  it('knows an archive of no arrays, and no archive of other files', async () => {
    const { source } = await written('a.npz', []);
    expect([await numpy.detect(source), source.size]).toEqual(['checkpoint', 22]);
    const bytes = await (await written('a.npz', [stored('w', w)])).source.read();
    bytes.set(new TextEncoder().encode('.txt'), 31);
    expect(await numpy.detect(memorySource('a', new Map([['a', bytes]])))).toBeUndefined();
  });

  it.each([
    // b'\xff\xfe' as S2.
    ['numpy/text', '|S2', [0xff, 0xfe]],
    ['numpy/dtype', '|O', [0, 0]],
    ['numpy/dtype', '|V3', [0, 0, 0]],
    ['numpy/dtype', '<M8[s]', [0, 0, 0, 0, 0, 0, 0, 0]],
  ])('refuses what is no number and no text: %s for %s', async (code, descr, data) => {
    const head = await (await npyOf(Weight.from(w))).read();
    const text = new TextDecoder('latin1').decode(head.subarray(0, 128));
    const changed = text
      .replace("'<f4'", `'${descr}'`)
      .replace('(2,)', '(1,)')
      .replace(/ *\n$/, '')
      .padEnd(127);
    const bytes = Buffer.concat([Buffer.from(`${changed}\n`, 'latin1'), Buffer.from(data)]);
    const source = memorySource('a.npy', new Map([['a.npy', new Uint8Array(bytes)]]));
    await expect(openCheckpoint(source, numpy)).rejects.toEqual(failing(code));
  });
});

describe('writing', () => {
  it('stores what is tied under each of its names, and tells it', async () => {
    const { source, told } = await written('a.npz', [stored('head', w, 'embedding')]);
    const arrays = await readArrays(source);
    expect([[...arrays.keys()], arrays.get('embedding')]).toEqual([['head', 'embedding'], w]);
    expect(told).toEqual(['core/untied']);
  });

  it('gives one array where the path says so, which has the name of the file', async () => {
    const { source, told } = await written('b/w.npy', [stored('w', w)]);
    expect(await source.read()).toEqual(await (await npyOf(Weight.from(w))).read());
    expect(told).toEqual([]);
    expect((await written('b/v.npy', [stored('w', w)])).told).toEqual(['numpy/renamed']);
    for (const tensors of [[], [stored('w', w), stored('v', w)], [stored('w', w, 'v')]])
      await expect(written('w.npy', tensors)).rejects.toHaveProperty(
        'diagnostics',
        expect.arrayContaining([expect.objectContaining({ code: 'numpy/one-array' })]),
      );
  });

  it('names every tensor of a type that NumPy lacks, and writes nothing', async () => {
    const eight = (dtype: 'float8e4m3fn' | 'float8e5m2') => Weight.of(dtype, [1], Uint8Array.of(1));
    const sink = new MemorySink();
    const tensors = [stored('a', eight('float8e4m3fn')), stored('b', eight('float8e5m2'))];
    const store = new TensorStore(tensors);
    const checkpoint = { store, format: '', versions: {}, file: '' };
    await expect(writeCheckpoint(checkpoint, { to: numpy, sink })).rejects.toMatchObject({
      diagnostics: ['a', 'b'].map((node) => ({
        code: 'core/not-writable',
        help: expect.stringContaining('--dtype'),
        origin: { node },
      })),
    });
    expect(sink.files.size).toBe(0);
  });

  it('holds bfloat16 as ml_dtypes does, and tells it both ways', async () => {
    const half = Weight.of('bfloat16', [2], Uint8Array.of(0x80, 0x3f, 0xa1, 0x7f));
    const { source, told } = await written('a.npz', [stored('h', half)]);
    expect(told).toEqual(['numpy/raw']);
    const npy = new TextDecoder('latin1').decode(await source.read());
    expect(npy).toContain("{'descr': '<V2', 'fortran_order': False, 'shape': (2,), }");
    const sink = new MemorySink();
    const report = await convert({ from: numpy, to: numpy, source, sink });
    expect(report.diagnostics.map(({ code }) => code)).toEqual(['numpy/raw', 'numpy/raw']);
    expect(sink.files.get('weights.npz')).toEqual(await source.read());
  });

  it('refuses texts of which NumPy would cut the end', async () => {
    const text = Weight.from(tensor('string', [2], ['a', 'b\0']));
    await expect(written('a.npz', [stored('t', text)])).rejects.toEqual(failing('numpy/text'));
  });
});
