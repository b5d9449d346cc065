import { readFileSync } from 'node:fs';
import {
  DroverError,
  MemorySink,
  memorySource,
  openCheckpoint,
  Report,
  TensorStore,
  Weight,
  writeCheckpoint,
  type Checkpoint,
  type Source,
} from '@drover/core';
import { keras } from './format.js';

const data = (name: string) =>
  new Uint8Array(readFileSync(new URL(`./testdata/${name}`, import.meta.url)));
const sourceOf = (name: string, bytes: Uint8Array): Source =>
  memorySource(name, new Map([[name, bytes]]));

async function failureOf(work: Promise<unknown>): Promise<DroverError> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof DroverError) return error;
  throw error ?? new Error('nothing was thrown');
}

async function readWhole(source: Source): Promise<void> {
  const { store } = await openCheckpoint(source, keras);
  for (const { weight } of store) await weight.bytes();
}

describe('HDF5 that no Keras wrote', () => {
  it.each([
    ['plain', 'keras/not-keras', /has no weights as Keras writes them/],
    ['missing', 'keras/not-keras', /lists dense\/kernel:0/],
    ['external-link', 'keras/hdf5', /an external link, which is not followed/],
    ['soft-link', 'keras/hdf5', /a soft link, which is not followed/],
    ['legacy-link', 'keras/hdf5', /an external link/],
    ['cycle', 'keras/hdf5', /a group within itself/],
    ['external-storage', 'keras/hdf5', /cannot be read/],
    ['virtual', 'keras/hdf5', /put together from other datasets/],
    ['huge', 'core/limit', /4398046511104 bytes/],
    ['bomb', 'core/limit', /16000000 bytes/],
    ['chunk', 'core/limit', /chunks of 400000000 bytes/],
  ])('%s is refused with its code', async (name, code, message) => {
    const { diagnostics } = await failureOf(readWhole(sourceOf('m.h5', data(`${name}.h5`))));
    expect(diagnostics.map((each) => each.code)).toEqual([code]);
    expect(diagnostics[0]!.message).toMatch(message);
    expect(diagnostics[0]!.help).not.toBe('');
  });

  it('references to objects are no numbers: they are told, named, and not followed', async () => {
    const report = new Report();
    const source = sourceOf('m.h5', data('references.h5'));
    const { store } = await openCheckpoint(source, keras, { report });
    expect([...store].map(({ name }) => name)).toEqual(['dense/kernel']);
    expect(report.diagnostics.map(({ code, origin }) => [code, origin.node])).toEqual([
      ['keras/no-elements', 'dense/bias'],
    ]);
  });

  it('chunks, compression, byte order and a second name are read', async () => {
    const source = sourceOf('m.h5', data('compressed.h5'));
    const { store } = await openCheckpoint(source, keras);
    expect([...store].map(({ name, aliases }) => [name, aliases])).toEqual([
      ['dense/kernel', ['tied/0']],
      ['dense/bias', []],
    ]);
    const kernel = await store.get('dense/kernel')!.weight.bytes();
    // After the header of the .npy, whose length is a multiple of 64.
    const expected = data('compressed.npy');
    expect(kernel).toEqual(expected.slice(expected.length - kernel.length));
    const bias = await store.get('dense/bias')!.weight.bytes();
    expect([...new Float64Array(bias.buffer, bias.byteOffset, 17)]).toEqual(
      Array.from({ length: 17 }, (_, i) => i),
    );
    // Any part of it is read alone: the third row, and what begins and ends within rows.
    const { handle } = store.get('dense/kernel')!.weight;
    for (const [offset, length] of [
      [2 * 68, 68],
      [50, 200],
      [0, 1],
      [31 * 68 - 3, 3],
    ] as const)
      expect(await handle.read({ offset, length })).toEqual(kernel.slice(offset, offset + length));
  });

  it('an error does not spoil what is read after it', async () => {
    await failureOf(readWhole(sourceOf('m.h5', data('cycle.h5').slice(0, 700))));
    await readWhole(sourceOf('m.h5', data('compressed.h5')));
  });
});

describe('archives that no Keras wrote', () => {
  it.each([
    ['traversal', 'zip/name', /evil\.txt/],
    ['duplicate', 'core/duplicate', /config\.json/],
    ['inflated', 'core/limit', /./],
    ['deep', 'core/limit', /nests deeper than 128 levels/],
  ])('%s is refused with its code', async (name, code, message) => {
    const work = readWhole(sourceOf('m.keras', data(`${name}.keras`)));
    const { diagnostics } = await failureOf(work);
    expect(diagnostics.map((each) => each.code)).toEqual([code]);
    expect(diagnostics[0]!.message).toMatch(message);
  });
});

const layer = (className: string, name: string, config: object, more: object = {}) => ({
  class_name: className,
  name,
  config: { name, ...config },
  inbound_nodes: name === 'x' ? [] : [[['x', 0, 0, {}]]],
  ...more,
});

/** A checkpoint of a model with one more layer, as Keras 2 says it. */
const withLayer = (extra: object): Checkpoint => {
  const config = {
    class_name: 'Functional',
    config: {
      name: 'model',
      layers: [
        layer('InputLayer', 'x', { batch_input_shape: [null, 2], dtype: 'float32' }),
        extra,
        layer('Dense', 'dense', { units: 1, use_bias: false }),
      ],
      input_layers: [['x', 0, 0]],
      output_layers: [['dense', 0, 0]],
    },
  };
  const metadata = new Map([
    ['model_config', JSON.stringify(config)],
    ['keras_version', '2.15.0'],
  ]);
  const weight = Weight.of('float32', [2, 1], Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]), 'k');
  const tensor = { name: 'dense/kernel', weight, role: 'parameter' as const, aliases: [] };
  return {
    store: new TensorStore([tensor], { metadata }),
    format: 'core',
    versions: {},
    file: 'm.h5',
  };
};

const lambda = layer('Lambda', 'runs', {
  function: ['4wEAAAAAAAAA', null, null],
  function_type: 'lambda',
  module: 'os',
});
const modulePath = layer('Popen', 'opens', { args: 'touch /tmp/x' }, { module: 'subprocess' });

describe('a configuration that names code', () => {
  it.each([
    ['a Lambda', lambda, 'keras/code', 'runs'],
    [
      'a function of TensorFlow',
      layer('TFOpLambda', 'op', { function: 'io.write_file' }),
      'keras/code',
      'op',
    ],
  ])('%s is data: weights arrive, and no whole model is written', async (_, extra, code, name) => {
    const checkpoint = withLayer(extra);
    for (const path of ['m.keras', 'm.h5']) {
      const sink = new MemorySink();
      const { diagnostics } = await failureOf(
        writeCheckpoint(checkpoint, { to: keras, sink, path }),
      );
      expect(diagnostics.map((each) => [each.code, each.origin.node])).toEqual([[code, name]]);
      expect(diagnostics[0]!.message).toContain(name);
      expect(sink.files.size).toBe(0);
    }
    const sink = new MemorySink();
    const report = new Report();
    await writeCheckpoint(checkpoint, { to: keras, sink, path: 'm.weights.h5', report });
    expect(report.diagnostics).toEqual([]);
    const back = await openCheckpoint(memorySource('m.weights.h5', sink.files), keras);
    expect([...(await back.store.get('dense/kernel')!.weight.bytes())]).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8,
    ]);
  });

  it('a module path stays text, and the layer is named', async () => {
    const sink = new MemorySink();
    const report = new Report();
    const checkpoint = withLayer(modulePath);
    await writeCheckpoint(checkpoint, { to: keras, sink, path: 'm.keras', report });
    expect(report.diagnostics.map(({ code, origin }) => [code, origin.node])).toEqual([
      ['keras/custom-layer', 'opens'],
    ]);
    const back = await openCheckpoint(memorySource('m.keras', sink.files), keras);
    expect(back.store.metadata.get('model_config')).toContain('"module":"subprocess"');
    expect([...back.store].map(({ name }) => name)).toEqual(['dense/kernel']);
  });

  it('hard_sigmoid, which the generations compute otherwise, is refused by layer', async () => {
    const changed = layer('LSTM', 'lstm', { units: 1, recurrent_activation: 'hard_sigmoid' });
    const work = writeCheckpoint(withLayer(changed), {
      to: keras,
      sink: new MemorySink(),
      path: 'm.keras',
    });
    const { diagnostics } = await failureOf(work);
    expect(diagnostics.map(({ code, origin }) => [code, origin.node])).toEqual([
      ['keras/meaning', 'lstm'],
    ]);
  });
});
