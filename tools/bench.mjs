// npm run bench [FILE...]: time and peak memory of conversions of a model or a checkpoint, and of
// an evaluation by the reference, beside copying the same bytes in the same run, so that figures
// compare across machines. What is written reaches the disk before it has its name, so that is
// measured of a copy, too. Without arguments: a fixture, a synthetic model of 200 MB and a
// synthetic checkpoint of 1 GB that are made on the fly. Each measurement is a process of its own.
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const self = fileURLToPath(import.meta.url);
const rounds = 3;

/** What is measured, by name. Each loads what it needs before the clock starts. */
const measurements = {
  /** What any converter has to do at least. */
  copy: async (path, out) => {
    return async () => {
      copyFileSync(path, out);
    };
  },
  /** The same, until it is on the disk. */
  'copy to disk': async (path, out) => {
    return async () => {
      copyFileSync(path, out);
      const file = openSync(out, 'r');
      fsyncSync(file);
      closeSync(file);
    };
  },
  /** The graph alone, weights left in the file. */
  open: async (path) => {
    const [{ detectFormat, openContent }, { openFile }, formats] = await Promise.all([
      import('@drover/core'),
      import('@drover/node'),
      allFormats(),
    ]);
    return async () => {
      const source = await openFile(path);
      await openContent(source, await detectFormat(source, formats));
    };
  },
  /** The reference evaluator; free dimensions are 1. */
  evaluate: async (path) => {
    const [{ evaluate, openModel, sizeOf, tensor }, { openFile }, formats] = await Promise.all([
      import('@drover/core'),
      import('@drover/node'),
      allFormats(),
    ]);
    const { graph } = await openModel(await openFile(path), formats);
    const inputs = graph.inputs.map(({ dtype, shape }) => {
      const sizes = shape.map((dim) => (typeof dim === 'number' ? dim : 1));
      const value = dtype.startsWith('float') ? Math.sin : () => 0;
      return tensor(
        dtype,
        sizes,
        Array.from({ length: sizeOf(sizes) }, (_, i) => value(i)),
      );
    });
    return async () => {
      await evaluate(graph, inputs);
    };
  },
  /** `only`: the name of a tensor that alone is written. */
  convert: async (path, out, to, only) => {
    const [{ convert, detectFormat }, { openFile, outputFolder }, { editStore }, formats] =
      await Promise.all([
        import('@drover/core'),
        import('@drover/node'),
        import('@drover/weights'),
        allFormats(),
      ]);
    const sink = outputFolder(mkdtempSync(`${out}-`));
    return async () => {
      const source = await openFile(path);
      const target = formats.find(({ id }) => id === to);
      await convert({
        from: await detectFormat(source, formats),
        to: target,
        source,
        sink,
        ...(only && { edit: (store, report) => editStore(store, { only: [only] }, report) }),
      });
    };
  },
};

async function allFormats() {
  return (await import('@drover/formats')).loadFormats();
}

/**
 * An ONNX model of twelve products with square matrices: 200 MB of weights, written piece by piece.
 */
async function writeLarge(path) {
  const { encodeModel } = await import('@drover/onnx/codec');
  const size = 2048;
  const weights = Float32Array.from({ length: size * size }, (_, i) => Math.sin(i) / size);
  const raw = new Uint8Array(weights.buffer);
  const dim = (value) => (typeof value === 'number' ? { dimValue: value } : { dimParam: value });
  const value = (name) => ({
    name,
    type: { tensorType: { elemType: 1, shape: { dim: ['batch', size].map(dim) } } },
  });
  const layers = Array.from({ length: 12 }, (_, i) => i);
  const name = (i) => (i === 0 ? 'x' : i === layers.length ? 'y' : `h${i}`);
  const model = {
    irVersion: 8,
    producerName: 'bench',
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'large',
      node: layers.map((i) => ({
        opType: 'MatMul',
        name: `product${i}`,
        input: [name(i), `w${i}`],
        output: [name(i + 1)],
        attribute: [],
      })),
      initializer: layers.map((i) => ({
        name: `w${i}`,
        dataType: 1,
        dims: [size, size],
        rawData: raw,
      })),
      input: [value('x')],
      output: [value('y')],
    },
  };
  const file = openSync(path, 'w');
  await encodeModel(model, {
    write: async (bytes) => void writeSync(file, bytes),
    close: async () => {},
  });
  closeSync(file);
}

const checkpointTensors = 100;

/** A checkpoint of a hundred tensors of 10 MB. */
async function writeCheckpoint(folder) {
  const [
    { outputFolder },
    { ByteHandle, TensorStore, Weight, writeCheckpoint: write },
    { pytorch },
  ] = await Promise.all([
    import('@drover/node'),
    import('@drover/core'),
    import('@drover/pytorch'),
  ]);
  const bytes = new Uint8Array(
    Float32Array.from({ length: 2_500_000 }, (_, i) => Math.sin(i)).buffer,
  );
  const tensors = Array.from({ length: checkpointTensors }, (_, i) => ({
    name: `layer${i}.weight`,
    weight: Weight.stored(
      'float32',
      [2500, 1000],
      undefined,
      // Each of its own, as trained tensors are.
      ByteHandle.computed(bytes.length, async function* () {
        yield bytes;
      }),
    ),
    role: 'parameter',
    aliases: [],
  }));
  await write(
    { store: new TensorStore(tensors), format: 'core', versions: {}, file: '' },
    { to: pytorch, sink: outputFolder(folder), path: 'checkpoint.pth' },
  );
}

/**
 * Runs one measurement in a process of its own; the best of some rounds, because everything else
 * only adds.
 */
function measure(name, ...args) {
  const runs = Array.from({ length: rounds }, () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [self, '--measure', name, ...args],
      { encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout);
  });
  return {
    milliseconds: Math.min(...runs.map((run) => run.milliseconds)),
    peakBytes: Math.min(...runs.map((run) => run.peakBytes)),
  };
}

async function measureHere([name, ...args]) {
  const run = await measurements[name](...args);
  const started = performance.now();
  await run();
  console.log(
    JSON.stringify({
      milliseconds: performance.now() - started,
      peakBytes: process.resourceUsage().maxRSS * 1024,
    }),
  );
}

const mega = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
const columns = [30, 10, 14, 10, 10, 10, 10];
const line = (cells) =>
  console.log(
    cells
      .map((cell, i) => cell.padEnd(columns[i]))
      .join(' ')
      .trimEnd(),
  );

/** What is measured of a model: every format that holds graphs, and the reference. */
function* modelRows(path, scratch) {
  for (const to of ['onnx', 'tfjs', 'mxnet'])
    yield [`to ${to}`, measure('convert', path, join(scratch, to), to)];
  yield ['evaluate', measure('evaluate', path)];
}

/** What is measured of a checkpoint: every format that holds all that one can, and a part. */
function* checkpointRows(path, scratch, name) {
  for (const to of ['pytorch', 'safetensors', 'tensorflow', 'keras'])
    yield [`to ${to}`, measure('convert', path, join(scratch, to), to)];
  yield ['one tensor', measure('convert', path, join(scratch, 'one'), 'safetensors', name)];
}

/** The first tensor of a checkpoint; undefined for a model. */
async function firstTensor(path) {
  const [{ detectFormat, isModel, openContent }, { openFile }, formats] = await Promise.all([
    import('@drover/core'),
    import('@drover/node'),
    allFormats(),
  ]);
  const source = await openFile(path);
  const content = await openContent(source, await detectFormat(source, formats));
  return isModel(content) ? undefined : [...content.store][0]?.name;
}

async function bench(paths) {
  const scratch = mkdtempSync(join(tmpdir(), 'drover-bench-'));
  try {
    if (paths.length === 0) {
      const large = join(scratch, 'large.onnx');
      await writeLarge(large);
      await writeCheckpoint(scratch);
      paths = [
        resolve(import.meta.dirname, '..', 'fixtures/models/torch-mobilenet_v2/ts_op17.onnx'),
        large,
        join(scratch, 'checkpoint.pth'),
      ];
    }
    line(['file', 'bytes', 'what', 'time', '× copying', '× to disk', 'peak']);
    for (const path of paths) {
      const { size } = statSync(path);
      const [copy, toDisk] = ['copy', 'copy to disk'].map((name) =>
        measure(name, path, join(scratch, 'copy')),
      );
      const row = (what, { milliseconds, peakBytes }) =>
        line([
          basename(path),
          mega(size),
          what,
          `${milliseconds.toFixed(0)} ms`,
          (milliseconds / copy.milliseconds).toFixed(2),
          (milliseconds / toDisk.milliseconds).toFixed(2),
          mega(peakBytes),
        ]);
      row('copy', copy);
      row('copy to disk', toDisk);
      row('open', measure('open', path));
      const name = await firstTensor(path);
      const rows = name === undefined ? modelRows : checkpointRows;
      for (const each of rows(path, scratch, name)) row(...each);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const args = process.argv.slice(2);
if (args[0] === '--measure') await measureHere(args.slice(1));
else await bench(args);
