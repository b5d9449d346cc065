// The conversions of the demo: real models between the formats, each result run in its own runtime
// and compared with what the framework itself computed.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { convert, DroverError, openModel, toNumbers } from '@drover/core';
import { loadFormats } from '@drover/formats';
import { openFile, outputFolder } from '@drover/node';
import { readArrays } from '@drover/numpy/codec';
import { consultOracle, judge } from '@drover/parity';
import { mxnet as mxnetRuntime } from '@drover/runtimes/mxnet';
import { onnxruntime } from '@drover/runtimes/onnxruntime';
import { reference } from '@drover/runtimes/reference';
import { tfjs as tfjsRuntime } from '@drover/runtimes/tfjs';

const fixtures = resolve(import.meta.dirname, '..', 'fixtures', 'models');
const formats = Object.fromEntries(
  (await loadFormats()).filter(({ model }) => model).map((format) => [format.id, format]),
);
/**
 * Small networks that PyTorch, TensorFlow and MXNet wrote, with the numbers that they computed
 * beside them.
 */
const models = [
  ['PyTorch MobileNetV2', 'torch-mobilenet_v2', 'ts_op17.onnx'],
  ['PyTorch ResNet', 'torch-resnet', 'ts_op17.onnx'],
  ['PyTorch U-Net', 'torch-unet', 'ts_op11.onnx'],
  ['PyTorch BERT', 'torch-bert', 'ts_op17.onnx'],
  ['PyTorch LSTM + GRU', 'torch-lstm_gru', 'ts_op17.onnx'],
  ['Keras MobileNetV2', 'tf-mobilenet_v2', 'tfjs/model.json'],
  ['Keras U-Net', 'tf-unet', 'tfjs/model.json'],
  ['Keras LSTM', 'tf-lstm_plain', 'tfjs/model.json'],
  ['MXNet MobileNet', 'mxnet-mobilenet', 'model-symbol.json'],
  ['MXNet LSTM', 'mxnet-lstm', 'model-symbol.json'],
  ['Spotify Basic Pitch', 'basic_pitch', 'nmp.onnx'],
];
/**
 * Loses 1e-3 to float32 in its own filters, so that the evaluator's float64 is no yardstick: real
 * MXNet is.
 */
const illConditioned = 'basic_pitch';
// MXNet itself needs Python. Without one, what is written for it is read back and run by the
// reference evaluator; `npm run test:live` runs it in MXNet.
const hasMxnet = process.env.DROVER_MXNET_PYTHON !== undefined;
const runtimes = {
  onnx: ['onnxruntime', onnxruntime()],
  tfjs: ['TF.js', tfjsRuntime()],
  mxnet: hasMxnet ? ['MXNet', mxnetRuntime()] : ['reference', reference()],
};

/** What the framework computed, under the names that the model file declares. */
async function goldenOf(folder, file) {
  const entry = JSON.parse(
    readFileSync(join(fixtures, folder, 'fixture.json'), 'utf8'),
  ).models.find((model) => model.file === file);
  const arrays = [...(await readArrays(await openFile(join(fixtures, folder, entry.golden[0]))))];
  const bare = (name) => (entry.format === 'tfjs' ? name.replace(/:0$/, '') : name);
  const side = (prefix, nameOf) =>
    new Map(
      arrays.flatMap(([key, value]) =>
        key.startsWith(prefix) ? [[bare(nameOf(key.slice(prefix.length))), value]] : [],
      ),
    );
  const inputs = side('in_', (key) => entry.input ?? entry.inputs?.[key] ?? key);
  return {
    format: entry.format,
    inputs,
    outputs: side('out_', (key) => entry.outputs?.[key] ?? key),
  };
}

/**
 * Values under the names that a converted model declares: those of the source, or where a format
 * cannot spell one, in the same place.
 */
const carried = (declared, names, values) =>
  new Map(
    names.map((name, i) => [
      declared.some((each) => each.name === name) ? name : declared[i].name,
      values.get(name),
    ]),
  );

/** The largest difference over the largest magnitude. */
function relativeError(actual, expected) {
  const [a, e] = [toNumbers(actual), toNumbers(expected)];
  let [largest, worst] = [0, 0];
  for (let i = 0; i < e.length; i++) {
    largest = Math.max(largest, Math.abs(e[i]));
    worst = Math.max(worst, Math.abs(a[i] - e[i]));
  }
  return worst / largest;
}

async function runOne([title, folder, file], to, out) {
  const { format, inputs, outputs } = await goldenOf(folder, file);
  const path = join(fixtures, folder, file);
  const [runtimeName, runtime] = runtimes[to];
  const row = { title, from: format, to, runtime: runtimeName };
  const started = performance.now();
  try {
    await convert({
      from: formats[format],
      to: formats[to],
      source: await openFile(path),
      sink: outputFolder(out),
    });
  } catch (error) {
    if (!(error instanceof DroverError)) throw error;
    return {
      ...row,
      verdict: 'refused',
      reason: error.diagnostics.find(({ severity }) => severity === 'error').message,
    };
  }
  const milliseconds = performance.now() - started;
  const { graph } = await openModel(await openFile(path), formats[format]);
  const written = await openFile(join(out, formats[to].fileNames.usual));
  const loaded = await runtime.load({ format: formats[to], source: written });
  try {
    const names = graph.inputs.map(({ name }) => name);
    const results = await loaded.run(carried(loaded.inputs, names, inputs));
    const expected = carried(
      loaded.outputs,
      graph.outputs.map(({ name }) => name),
      outputs,
    );
    const outputNames = [...expected.keys()];
    const oracle = await consultOracle(graph, inputs, outputNames, path);
    const evidence = { source: expected, target: results, oracle };
    const { verdict } = await judge(outputNames, [evidence]);
    const error = Math.max(
      ...[...expected].map(([name, value]) => relativeError(results.get(name), value)),
    );
    return { ...row, milliseconds, error, verdict };
  } finally {
    await loaded.dispose();
  }
}

/**
 * Runs every conversion; `tell` gets each row as soon as it is there. A row is what was converted,
 * how long it took, how far the result is off and the verdict.
 */
export async function runDemo(tell = () => {}) {
  const scratch = mkdtempSync(join(tmpdir(), 'drover-demo-'));
  const warn = console.warn;
  console.warn = () => {}; // TF.js advertises faster backends.
  const rows = [];
  try {
    for (const model of models) {
      const { format } = await goldenOf(model[1], model[2]);
      for (const to of Object.keys(formats).filter((id) => id !== format)) {
        if (model[1] === illConditioned && runtimes[to][0] === 'reference') continue;
        rows.push(await runOne(model, to, join(scratch, String(rows.length))));
        tell(rows.at(-1));
      }
    }
    return rows;
  } finally {
    console.warn = warn;
    rmSync(scratch, { recursive: true, force: true });
  }
}
