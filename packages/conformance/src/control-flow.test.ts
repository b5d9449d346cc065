import { convert, memorySource, MemorySink, toNumbers, type Format, type Source } from '@drover/core';
import { onnx } from '@drover/onnx';
import { onnxruntime } from '@drover/runtimes/onnxruntime';
import { tfjs as tfjsRuntime } from '@drover/runtimes/tfjs';
import { tfjs } from '@drover/tfjs';
import { decodeVector, vectorFamilies, type VectorCase } from './op-vectors.js';

interface TfModel {
  readonly json: { readonly weightsManifest: readonly { readonly paths: readonly string[] }[] };
  readonly weights: string;
}

const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'));

function tfSource({ model }: VectorCase<TfModel>): Source {
  const [path] = model.json.weightsManifest.flatMap(({ paths }) => paths);
  const files = new Map([['model.json', new TextEncoder().encode(JSON.stringify(model.json))]]);
  if (path !== undefined) files.set(path, bytesOf(model.weights));
  return memorySource('model.json', files);
}

const onnxSource = ({ model }: VectorCase<{ readonly onnx: string }>): Source =>
  memorySource('model.onnx', new Map([['model.onnx', bytesOf(model.onnx)]]));

/** Cases of control flow and recurrence of both frameworks: where from, and what the framework computed. */
const cases = [
  ...vectorFamilies<TfModel>('tf').flatMap(([family, each]) =>
    (family === 'control-flow' ? each : []).map((one) => ({ one, from: tfjs, source: () => tfSource(one) })),
  ),
  ...vectorFamilies<{ readonly onnx: string }>('onnx').flatMap(([family, each]) =>
    (family === 'control-flow' || family === 'recurrent' ? each : []).map((one) => ({ one, from: onnx, source: () => onnxSource(one) })),
  ),
].map(({ one, from, source }) => ({ name: `${from.id} ${one.name}`, inputs: one.inputs, outputs: one.outputs, from, source }));

const targets: readonly { readonly to: Format; readonly runtime: ReturnType<typeof onnxruntime> }[] = [
  { to: onnx, runtime: onnxruntime({ threads: 1 }) },
  { to: tfjs, runtime: tfjsRuntime() },
];

describe.each(targets)('written to $to.id', ({ to, runtime }) => {
  test.each(cases)('$name gives the same in its runtime, twice', async ({ inputs, outputs, from, source }) => {
    const sink = new MemorySink();
    // A layout asks for a way through core where the format stays.
    await convert({ from, to, source: source(), sink, ...(from === to && { inputLayout: to === onnx ? 'nchw' : 'nhwc' }) });
    const loaded = await runtime.load(memorySource(to.fileName, sink.files));
    const given = new Map(inputs.map((stored) => [stored.name, decodeVector(stored)]));
    try {
      // TF.js frees tensors between runs: a second run finds out whether those were its own.
      for (let run = 0; run < 2; run++) {
        const results = await loaded.run(given);
        for (const stored of outputs) {
          const [result, expected] = [results.get(stored.name)!, decodeVector(stored)];
          expect(result.shape).toEqual(expected.shape);
          toNumbers(expected).forEach((value, i) =>
            expect(Math.abs(toNumbers(result)[i]! - value)).toBeLessThanOrEqual(2e-6 * Math.max(1, Math.abs(value))),
          );
        }
      }
    } finally {
      await loaded.dispose();
    }
  });
});
