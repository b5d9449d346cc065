import {
  MemorySink,
  memorySource,
  openCheckpoint,
  Report,
  tensor,
  TensorStore,
  toNumbers,
  Weight,
  writeCheckpoint,
  type Checkpoint,
  type Structure,
} from '@drover/core';
import { keras } from '../format.js';

/** Elements 0, 1, 2 … so that each is told apart. */
const counted = (name: string, ...shape: readonly number[]) =>
  Weight.from(
    tensor(
      'float32',
      shape,
      Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
    ),
    name,
  );

interface Layer {
  readonly className: string;
  readonly config: object;
  /** By the names of Keras 1, and of TensorFlow where they end with a number. */
  readonly weights?: readonly (readonly [key: string, shape: readonly number[]])[];
}

/** A model of Keras 1: layers one after the other, each named after its class in small letters. */
function modelOf(layers: readonly Layer[]): Checkpoint {
  const named = layers.map((layer) => ({ ...layer, name: layer.className.toLowerCase() }));
  const config = {
    class_name: 'Sequential',
    config: named.map(({ className, name, config: own }) => ({
      class_name: className,
      config: { name, trainable: true, ...own },
    })),
  };
  const groups = named.map(({ name, weights = [] }): readonly [string, Structure] => [
    name,
    {
      kind: 'map',
      entries: weights.map(([key]) => [key, { kind: 'tensor', name: `${name}/${key}` }]),
    },
  ]);
  const structure: Structure = {
    kind: 'map',
    entries: [['model_weights', { kind: 'map', entries: groups }]],
  };
  const tensors = named.flatMap(({ name, weights = [] }) =>
    weights.map(([key, shape]) => ({
      name: `${name}/${key}`,
      weight: counted(`${name}/${key}`, ...shape),
      role: 'parameter' as const,
      aliases: [],
    })),
  );
  const metadata = new Map([
    ['model_config', JSON.stringify(config)],
    ['keras_version', '1.2.2'],
  ]);
  return {
    store: new TensorStore(tensors, { metadata, structure }),
    format: 'keras',
    versions: { layout: 'legacy', keras: '1.2.2' },
    file: 'old.h5',
  };
}

const convolution = (config: object, keys: readonly [string, string]): Layer => ({
  className: 'Convolution2D',
  config: {
    nb_filter: 2,
    nb_row: 1,
    nb_col: 2,
    border_mode: 'valid',
    subsample: [1, 1],
    ...config,
  },
  weights: [
    [keys[0], [2, 3, 1, 2]],
    [keys[1], [2]],
  ],
});

async function written(checkpoint: Checkpoint, path: string) {
  const sink = new MemorySink();
  const report = new Report();
  await writeCheckpoint(checkpoint, { to: keras, sink, path, report });
  const back = await openCheckpoint(memorySource(path, sink.files), keras);
  const values = async (name: string) => [
    ...toNumbers(await back.store.get(name)!.weight.tensor()),
  ];
  return { back, values, told: report.diagnostics.map(({ code, message }) => [code, message]) };
}

const refused = (checkpoint: Checkpoint) =>
  written(checkpoint, 'm.keras').then(
    () => [],
    (error: { readonly diagnostics: readonly { readonly message: string }[] }) =>
      error.diagnostics.map(({ message }) => message),
  );

describe('kernels of Keras 1', () => {
  // [outputs, inputs, rows, columns] of [2, 3, 1, 2]: element (o, i, c) is 6 o + 2 i + c.
  const expected = (columns: readonly number[]) =>
    columns.flatMap((c) => [0, 1, 2].flatMap((i) => [0, 1].map((o) => 6 * o + 2 * i + c)));

  it('with channels first are turned to rows, columns, inputs and outputs', async () => {
    const model = modelOf([convolution({ dim_ordering: 'th' }, ['W:0', 'b:0'])]);
    const { values } = await written(model, 'm.keras');
    expect(await values('convolution2d/kernel')).toEqual(expected([0, 1]));
  });

  it('of Theano are turned round', async () => {
    const model = modelOf([convolution({ dim_ordering: 'th' }, ['W', 'b'])]);
    const { values } = await written(model, 'm.keras');
    expect(await values('convolution2d/kernel')).toEqual(expected([1, 0]));
  });

  it('of gates are joined: input, forget, cell, output', async () => {
    const gates = ['i', 'c', 'f', 'o'];
    const weights = gates.flatMap((gate) => [
      [`W_${gate}`, [1, 1]] as const,
      [`U_${gate}`, [1, 1]] as const,
      [`b_${gate}`, [1]] as const,
    ]);
    const lstm = { output_dim: 1, inner_activation: 'sigmoid', consume_less: 'cpu' };
    const model = modelOf([{ className: 'LSTM', config: lstm, weights }]);
    const tensors = [...model.store].map((each, i) => ({
      ...each,
      weight: Weight.from(tensor('float32', each.weight.shape, [i]), each.name),
    }));
    const store = new TensorStore(tensors, model.store);
    const { values, back } = await written({ ...model, store }, 'm.keras');
    expect(await values('lstm/lstm_cell/kernel')).toEqual([0, 6, 3, 9]);
    expect(await values('lstm/lstm_cell/recurrent_kernel')).toEqual([1, 7, 4, 10]);
    expect(await values('lstm/lstm_cell/bias')).toEqual([2, 8, 5, 11]);
    expect(back.store.metadata.get('model_config')).toContain('"units":1');
  });
});

describe('what Keras 1 has and later versions have not', () => {
  it.each([
    [{ className: 'BatchNormalization', config: { mode: 1 } }, /batchnormalization.* mode 1/],
    [{ className: 'Merge', config: { mode: 'dot', mode_type: 'raw' } }, /merge .* the mode dot/],
    [
      { className: 'Merge', config: { mode: 'f', mode_type: 'lambda' } },
      /merge .* code of Python for its mode/,
    ],
    [
      convolution({ border_mode: 'full', dim_ordering: 'tf' }, ['W:0', 'b:0']),
      /convolution2d .* border_mode full/,
    ],
    [
      convolution({ border_mode: 'same', dim_ordering: 'tf' }, ['W', 'b']),
      /convolution2d .* Theano pads otherwise/,
    ],
    [
      {
        className: 'Deconvolution2D',
        config: {
          nb_row: 2,
          nb_col: 2,
          subsample: [2, 2],
          dim_ordering: 'tf',
          border_mode: 'valid',
          output_shape: [null, 5, 4, 1],
        },
      },
      /deconvolution2d .* output_shape \[null,5,4,1\]/,
    ],
  ] as const)('%j is refused by layer and argument', async (layer, message) => {
    const messages = await refused(modelOf([layer as Layer]));
    expect(messages.filter((each) => message.test(each))).toHaveLength(1);
  });

  it('dropout of an embedding, and regularizers of other classes, are told', async () => {
    const embedding: Layer = {
      className: 'Embedding',
      config: { input_dim: 2, output_dim: 3, dropout: 0.5, W_regularizer: { name: 'Eigenvalue' } },
      weights: [['W:0', [2, 3]]],
    };
    const { told, values } = await written(modelOf([embedding]), 'm.keras');
    expect(told).toEqual(
      [
        [
          'keras/training',
          'embedding (Embedding) has embeddings_regularizer "Eigenvalue", which is left out.',
        ],
        ['keras/training', 'embedding (Embedding) has dropout 0.5, which is left out.'],
      ].toSorted(),
    );
    expect(await values('embedding/embeddings')).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('weights that lost their order in another format are refused', async () => {
    const { store } = modelOf([convolution({ dim_ordering: 'tf' }, ['W', 'b'])]);
    const through = {
      store: new TensorStore([...store], { metadata: store.metadata }),
      format: 'safetensors',
      versions: {},
      file: 'old.safetensors',
    };
    expect(await refused(through)).toEqual([
      expect.stringMatching(/^old\.safetensors .* does not tell which layers/),
    ]);
    const { told, values } = await written(through, 'm.weights.h5');
    expect(told.map(([code]) => code)).toEqual(['keras/keras-1-weights']);
    expect(await values('convolution2d/W')).toEqual(Array.from({ length: 12 }, (_, i) => i));
  });

  it('weights without their model keep saying no version, by which Keras 2 turns them itself', async () => {
    const { store, ...rest } = modelOf([convolution({ dim_ordering: 'tf' }, ['W', 'b'])]);
    const { structure } = store;
    const alone = { ...rest, versions: { layout: 'legacy' } };
    const { told, back } = await written(
      { ...alone, store: new TensorStore([...store], { structure }) },
      'm.h5',
    );
    expect(told.map(([code]) => code)).toEqual(['keras/keras-1-weights']);
    expect(back.store.metadata.has('keras_version')).toBe(false);
  });

  it('another number of weights than a layer has is refused', async () => {
    const layer = convolution({ dim_ordering: 'tf', bias: false }, ['W:0', 'b:0']);
    expect(await refused(modelOf([layer]))).toEqual([
      expect.stringMatching(/convolution2d .* has 2 weights of Keras 1, where 1 are known/),
    ]);
  });
});
