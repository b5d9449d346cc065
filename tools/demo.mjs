// Converts real models between the formats, runs each result in its own runtime and compares with what the framework itself computed.
// The models are small ones in fixtures/models; the expected numbers were written by PyTorch, TensorFlow and MXNet.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { convert } from '@drover/core';
import { mxnet } from '@drover/mxnet';
import { openFile, outputFolder } from '@drover/node';
import { readArrays } from '@drover/numpy';
import { onnx } from '@drover/onnx';
import { judge } from '@drover/parity';
import { reference } from '@drover/runtimes';
import { onnxruntime } from '@drover/runtimes/onnxruntime';
import { tfjs as tfjsRuntime } from '@drover/runtimes/tfjs';
import { tfjs } from '@drover/tfjs';

const formats = { onnx, tfjs, mxnet };
const models = [
  ['PyTorch MobileNetV2', 'torch-mobilenet_v2/ts_op17.onnx', 'onnx'],
  ['PyTorch U-Net', 'torch-unet/ts_op17.onnx', 'onnx'],
  ['PyTorch BERT', 'torch-bert/dynamo_op18.onnx', 'onnx'],
  ['PyTorch LSTM + GRU', 'torch-lstm_gru/ts_op17.onnx', 'onnx'],
  ['Keras MobileNetV2', 'tf-mobilenet_v2/tfjs/model.json', 'tfjs'],
  ['Keras U-Net', 'tf-unet/tfjs/model.json', 'tfjs'],
  ['Keras LSTM', 'tf-lstm_plain/tfjs/model.json', 'tfjs'],
  ['MXNet MobileNet', 'mxnet-mobilenet/model-symbol.json', 'mxnet'],
  ['MXNet LSTM', 'mxnet-lstm/model-symbol.json', 'mxnet'],
  ['Spotify Basic Pitch', 'basic_pitch/nmp.onnx', 'onnx'],
];
// MXNet itself needs Python, so what is written for it is read back and run by the reference evaluator here; `npm run test:live` runs it in MXNet.
const runtimes = { onnx: ['onnxruntime', onnxruntime()], tfjs: ['TF.js', tfjsRuntime()], mxnet: ['reference', reference(Object.values(formats))] };

const fixtures = resolve(import.meta.dirname, '..', 'fixtures', 'models');
const folder = mkdtempSync(join(tmpdir(), 'drover-demo-'));
console.warn = () => {}; // TF.js advertises faster backends

/** Arrays under the names that a model declares; where formats spell names differently, in order. */
function named(declared, arrays, prefix) {
  const own = [...arrays].filter(([name]) => name.startsWith(prefix)).map(([name, value]) => [name.replace(/^(in|out)_?/, ''), value]);
  const byName = new Map(own);
  return new Map(declared.map(({ name }, i) => [name, byName.get(name) ?? own[i]?.[1]]));
}

const rows = [['model', 'from', 'to', 'runs in', 'convert', 'largest error', 'verdict']];
let failed = 0;
for (const [title, file, from] of models) {
  const path = join(fixtures, file);
  const arrays = await readArrays(await openFile(join(fixtures, file.split('/')[0], 'golden.npz')));
  for (const to of Object.keys(formats).filter((id) => id !== from)) {
    const [runtimeName, runtime] = runtimes[to];
    const started = performance.now();
    const out = join(folder, title.replaceAll(' ', '-'), to);
    try {
      const sink = outputFolder(out);
      await convert({ from: formats[from], to: formats[to], source: await openFile(path), sink });
      const milliseconds = performance.now() - started;
      const loaded = await runtime.load(await openFile(join(out, formats[to].fileName)));
      const outputs = await loaded.run(named(loaded.inputs, arrays, 'in'));
      const names = loaded.outputs.map(({ name }) => name);
      const source = named(loaded.outputs, arrays, 'out');
      const { verdict, outputs: judged } = judge(names, { source, target: outputs });
      const worst = Math.max(...judged.map(({ maxAbs }) => maxAbs ?? NaN));
      rows.push([title, from, to, runtimeName, `${milliseconds.toFixed(0)} ms`, worst.toExponential(1), verdict]);
      if (verdict !== 'agree') failed++;
      await loaded.dispose();
    } catch (error) {
      rows.push([title, from, to, runtimeName, '', '', error.diagnostics ? `refused: ${error.diagnostics[0].message}` : String(error)]);
      failed++;
    }
  }
}
rmSync(folder, { recursive: true, force: true });
const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => (i === 6 ? 7 : row[i].length))));
for (const row of rows) console.log(row.map((cell, i) => cell.padEnd(widths[i])).join('  ').trimEnd());
console.log(`\n${rows.length - 1 - failed} of ${rows.length - 1} conversions compute the same.`);
process.exitCode = failed === 0 ? 0 : 1;
