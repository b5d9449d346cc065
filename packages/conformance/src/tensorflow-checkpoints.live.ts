import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  bitsOf,
  convert,
  MemorySink,
  memorySource,
  openCheckpoint,
  sizeOf,
  tensor,
  TensorStore,
  Weight,
  writeCheckpoint,
  type DType,
  type StoredTensor,
} from '@drover/core';
import { openFile, type FileSource } from '@drover/node';
import { safetensors } from '@drover/safetensors';
import { tensorflow } from '@drover/tensorflow';
import { checkpointFixtures } from './checkpoint-fixture.js';

const python = process.env['DROVER_TENSORFLOW_PYTHON']!;
const script = new URL('./read-tensorflow.py', import.meta.url).pathname;
const root = mkdtempSync(join(tmpdir(), 'drover-tensorflow-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

/** What TensorFlow has for a tensor: its type under its own name, strings one by one. */
interface Read {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: string | readonly string[];
}

/** Runs a program in Python; what it prints. */
const run = (program: string, ...args: readonly string[]) =>
  execFileSync(python, ['-c', program, ...args], {
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' },
    stdio: ['ignore', 'pipe', 'ignore'],
  }).toString();

/** What TensorFlow reads from the checkpoints of some prefixes. */
function readByTensorflow(prefixes: readonly string[]): readonly Readonly<Record<string, Read>>[] {
  const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore'];
  const printed = execFileSync(python, [script, ...prefixes], { maxBuffer: 2 ** 30, stdio });
  return JSON.parse(printed.toString()) as Record<string, Read>[];
}

/** A new folder with the files of a sink. */
function onDisk(name: string, { files }: MemorySink): string {
  const folder = join(root, name.replace('/', '_'));
  mkdirSync(folder);
  for (const [path, bytes] of files) writeFileSync(join(folder, path), bytes);
  return folder;
}

const tensorflowNames: Readonly<Record<string, string>> = {
  float8e5m2: 'float8_e5m2',
  float8e4m3fn: 'float8_e4m3fn',
};

/** What TensorFlow should have for a tensor. Where it spends a byte on four bits, so does this. */
async function expectedOf({ weight }: StoredTensor): Promise<Read> {
  const { dtype, shape } = weight;
  const bytes = await weight.bytes();
  const data =
    dtype === 'string'
      ? textsOf(bytes)
      : base64(
          dtype === 'int4' || dtype === 'uint4' ? codesOf(bytes).slice(0, sizeOf(shape)) : bytes,
        );
  return { dtype: tensorflowNames[dtype] ?? dtype, shape, data };
}

/** Codes of four bits, each in a byte. */
const codesOf = (packed: Uint8Array) =>
  Uint8Array.from([...packed].flatMap((byte) => [byte & 15, byte >> 4]));

/** Strings, each in base64, from their lengths and bytes. */
function textsOf(canonical: Uint8Array): readonly string[] {
  const bytes = Buffer.from(canonical);
  const texts: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 4 + bytes.readUInt32LE(at);
    texts.push(base64(bytes.subarray(at + 4, end)));
    at = end;
  }
  return texts;
}

const objectGraph = '_CHECKPOINTABLE_OBJECT_GRAPH';

/** A checkpoint on disk, and what TensorFlow should read from it. */
interface Expectation {
  readonly prefix: string;
  readonly store: TensorStore;
  /** Further names are those of tied tensors, and not of variables. */
  readonly isTied?: boolean;
}

/** Holds what TensorFlow reads against stores, tensor by tensor. */
async function expectSame(expected: readonly Expectation[]): Promise<void> {
  const all = readByTensorflow(expected.map(({ prefix }) => prefix));
  expect(all).toHaveLength(expected.length);
  for (const [i, { prefix, store, isTied }] of expected.entries()) {
    const found = new Map(Object.entries(all[i]!));
    const graph = store.metadata.get(objectGraph);
    if (graph !== undefined)
      expect([prefix, found.get(objectGraph)?.data]).toEqual([prefix, [graph]]);
    found.delete(objectGraph);
    for (const stored of store) {
      const expectation = await expectedOf(stored);
      for (const name of [stored.name, ...(isTied ? stored.aliases : [])]) {
        expect([prefix, name, found.get(name)]).toEqual([prefix, name, expectation]);
        found.delete(name);
      }
    }
    expect([prefix, ...found.keys()]).toEqual([prefix]);
  }
}

/** Every type that both have; bits that cover all of a byte, so NaN payloads, too. */
const everyType = [
  ...['float64', 'float32', 'float16', 'bfloat16', 'float8e4m3fn', 'float8e5m2', 'int64', 'int32'],
  ...['int16', 'int8', 'int4', 'uint64', 'uint32', 'uint16', 'uint8', 'uint4', 'bool'],
  ...['complex64', 'complex128'],
] as const satisfies readonly DType[];

const parameter = (name: string, weight: Weight): StoredTensor => ({
  name,
  weight,
  role: 'parameter',
  aliases: [],
});

/** Tensors of every type, kind of shape and name. */
const everything = () =>
  new TensorStore([
    ...everyType.map((dtype, i) => {
      const bytes = Uint8Array.from({ length: 32 * bitsOf(dtype) }, (_, at) =>
        dtype === 'bool' ? at % 2 : (at * 167 + i) % 256,
      );
      return parameter(`${dtype} "\\ 名前💧`, Weight.of(dtype, [2, 128], bytes));
    }),
    parameter('text', Weight.from(tensor('string', [2, 2], ['a', '', '名前', 'x'.repeat(1000)]))),
    parameter('scalar', Weight.from(tensor('float32', [], [2.5]))),
    parameter('empty', Weight.from(tensor('int32', [0, 3], []))),
  ]);

/** So many tensors that the index has several blocks. */
const many = () =>
  new TensorStore(
    Array.from({ length: 9000 }, (_, i) =>
      parameter(
        `layers/${i % 90}/a rather long name of a block/${i}/kernel`,
        Weight.from(tensor('float32', [1], [i])),
      ),
    ),
  );

const fixtures = checkpointFixtures();

it('what we write TensorFlow reads: every type, shards, many blocks, tied ones, its own', async () => {
  const expected: Expectation[] = [];
  for (const [name, store, shardSize] of [
    ['one', everything(), undefined],
    ['shards', everything(), 1000],
    ['blocks', many(), undefined],
  ] as const) {
    const sink = new MemorySink();
    const checkpoint = { store, format: 'core', versions: {}, file: '' };
    const options = { shardSize };
    await writeCheckpoint(checkpoint, { to: tensorflow, sink, path: 'm.index', options });
    if (name === 'shards') expect(sink.files.size).toBeGreaterThan(3);
    if (name === 'blocks') expect(sink.files.get('m.index')!.length).toBeGreaterThan(300_000);
    expected.push({ prefix: join(onDisk(name, sink), 'm'), store });
  }
  for (const { id, format, source, main } of fixtures) {
    const isTheirs = format === 'tensorflow';
    if (!isTheirs && !id.startsWith('safetensors-tied')) continue;
    const from = isTheirs ? tensorflow : safetensors;
    const { store } = await openCheckpoint(source, from);
    const sink = new MemorySink();
    const prefix = main.replace('.index', '');
    await convert({ from, to: tensorflow, source, sink, path: `${prefix}.index` });
    expected.push({ prefix: join(onDisk(id, sink), prefix), store, isTied: !isTheirs });
  }
  expect(expected.length).toBeGreaterThan(6);
  await expectSame(expected);
});

/** A model with an optimizer of both generations, the seed of its weights an argument. */
const models = `
import sys, numpy as np, tensorflow as tf
def build(seed, legacy):
    tf.keras.backend.clear_session()
    tf.keras.utils.set_random_seed(seed)
    inputs = tf.keras.Input([8, 8, 3])
    x = tf.keras.layers.Conv2D(4, 3, activation="relu")(inputs)
    x = tf.keras.layers.BatchNormalization()(x)
    x = tf.keras.layers.Reshape([36, 4])(x)
    x = tf.keras.layers.Bidirectional(tf.keras.layers.LSTM(3))(x)
    model = tf.keras.Model(inputs, tf.keras.layers.Dense(2)(x))
    optimizer = (tf.keras.optimizers.legacy if legacy else tf.keras.optimizers).Adam(0.01)
    model.compile(optimizer, "mse")
    return model, tf.train.Checkpoint(model=model, optimizer=optimizer, epoch=tf.Variable(seed))
def train(model, steps):
    rng = np.random.default_rng(0)
    model.fit(rng.standard_normal((8, 8, 8, 3)), rng.standard_normal((8, 2)), epochs=steps, shuffle=False, verbose=0)
def inputs():
    return np.random.default_rng(1).standard_normal((4, 8, 8, 3), "float32")
`;

/** What one run of TensorFlow writes: two checkpoints of each optimizer, and a SavedModel. */
const written = ['0/ckpt-1', '0/weights', '1/ckpt-1', '1/weights', 'saved/variables/variables'];

it('checkpoints come back through another format, objects and all', async () => {
  const theirs = join(root, 'theirs');
  for (const folder of ['0', '1']) mkdirSync(join(theirs, folder), { recursive: true });
  run(
    `${models}
import os
os.chdir(sys.argv[1])
for legacy in [0, 1]:
    model, checkpoint = build(1, legacy)
    train(model, 3)
    checkpoint.save(f"{legacy}/ckpt")
    model.save_weights(f"{legacy}/weights")
    np.save(f"{legacy}/out.npy", model.predict(inputs(), verbose=0))
    if legacy:
        tf.saved_model.save(model, "saved")
    train(model, 1)
    np.save(f"{legacy}/trained.npy", model.predict(inputs(), verbose=0))`,
    theirs,
  );
  const expected: Expectation[] = [];
  const opened: FileSource[] = [];
  for (const prefix of written) {
    const base = prefix.slice(prefix.lastIndexOf('/') + 1);
    const source = await openFile(join(theirs, `${prefix}.index`));
    const { store } = await openCheckpoint(source, tensorflow);
    expect(store.size).toBeGreaterThan(10);
    const there = new MemorySink();
    await convert({ from: tensorflow, to: safetensors, source, sink: there });
    const sink = new MemorySink();
    const [from, to] = [tensorflow, tensorflow];
    await convert({ from, to, source, sink, path: `${base}.index` });
    // Within the format every byte is theirs.
    for (const [path, bytes] of sink.files) {
      const folder = join(theirs, prefix.slice(0, -base.length));
      const same = Buffer.compare(readFileSync(join(folder, path)), bytes) === 0;
      expect([prefix, path, same]).toEqual([prefix, path, true]);
    }
    const back = new MemorySink();
    await convert({
      from: safetensors,
      to: tensorflow,
      source: memorySource('model.safetensors', there.files),
      sink: back,
      path: `${base}.index`,
    });
    const folder = join(root, 'back', prefix.slice(0, -base.length));
    mkdirSync(folder, { recursive: true });
    for (const [path, bytes] of back.files) writeFileSync(join(folder, path), bytes);
    expected.push({ prefix: join(theirs, prefix), store }, { prefix: join(folder, base), store });
    opened.push(source);
  }
  await expectSame(expected);
  for (const source of opened) source.close();
  const printed = run(
    `${models}
import os
os.chdir(sys.argv[1])
same = []
for legacy in [0, 1]:
    out, trained = (np.load(f"theirs/{legacy}/{name}.npy") for name in ("out", "trained"))
    model, checkpoint = build(2, legacy)
    train(model, 1)
    checkpoint.restore(f"back/{legacy}/ckpt-1").assert_consumed()
    same.append(bool((model.predict(inputs(), verbose=0) == out).all()) and int(checkpoint.epoch) == 1)
    # The moments and the step count, too: training goes on as it would have.
    train(model, 1)
    same.append(float(abs(model.predict(inputs(), verbose=0) - trained).max()) < 1e-6)
    model, _ = build(3, legacy)
    train(model, 1)
    model.load_weights(f"back/{legacy}/weights").assert_consumed()
    same.append(bool((model.predict(inputs(), verbose=0) == out).all()))
print(same)`,
    root,
  );
  const all = new Array<string>(6).fill('True').join(', ');
  expect(printed.trim().split('\n').at(-1)).toBe(`[${all}]`);
  // TensorFlow starts three times and trains ten models.
}, 600_000);
