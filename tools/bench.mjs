// npm run bench [MODEL...]: time and peak memory of conversions and of an evaluation by the
// reference, beside copying the same bytes in the same run, so that figures compare across
// machines. Without arguments: a fixture and a synthetic model of 200 MB that is made on the fly.
// Each measurement is a process of its own.
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
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
  /** Reads every byte and writes it: what any converter has to do at least. */
  copy: async (path, out) => {
    return async () => {
      readFileSync(path);
      copyFileSync(path, out);
    };
  },
  /** The graph alone, weights left in the file. */
  graph: async (path) => {
    const [{ openModel }, { openFile }, formats] = await Promise.all([
      import('@drover/core'),
      import('@drover/node'),
      allFormats(),
    ]);
    return async () => {
      await openModel(await openFile(path), formats);
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
  convert: async (path, out, to) => {
    const [{ convert, detectFormat }, { openFile, outputFolder }, formats] = await Promise.all([
      import('@drover/core'),
      import('@drover/node'),
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
const columns = [30, 9, 14, 10, 11, 10];
const line = (cells) =>
  console.log(
    cells
      .map((cell, i) => cell.padEnd(columns[i]))
      .join(' ')
      .trimEnd(),
  );

async function bench(paths) {
  const scratch = mkdtempSync(join(tmpdir(), 'drover-bench-'));
  try {
    if (paths.length === 0) {
      const large = join(scratch, 'large.onnx');
      await writeLarge(large);
      paths = [
        resolve(import.meta.dirname, '..', 'fixtures/models/torch-mobilenet_v2/ts_op17.onnx'),
        large,
      ];
    }
    line(['model', 'bytes', 'what', 'time', '× copying', 'peak']);
    for (const path of paths) {
      const { size } = statSync(path);
      const copy = measure('copy', path, join(scratch, 'copy'));
      const row = (what, { milliseconds, peakBytes }) =>
        line([
          basename(path),
          mega(size),
          what,
          `${milliseconds.toFixed(0)} ms`,
          (milliseconds / copy.milliseconds).toFixed(2),
          mega(peakBytes),
        ]);
      row('copy', copy);
      row('read graph', measure('graph', path));
      for (const to of ['onnx', 'tfjs', 'mxnet'])
        row(`to ${to}`, measure('convert', path, join(scratch, to), to));
      row('evaluate', measure('evaluate', path));
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const args = process.argv.slice(2);
if (args[0] === '--measure') await measureHere(args.slice(1));
else await bench(args);
