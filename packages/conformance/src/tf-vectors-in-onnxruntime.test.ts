import {
  castTensor,
  memorySource,
  MemorySink,
  toNumbers,
  openModel,
  writeModel,
} from '@drover/core';
import { onnx } from '@drover/onnx';
import { onnxruntime } from '@drover/runtimes/onnxruntime';
import { tfjs } from '@drover/tfjs';
import { decodeVector, vectorFamilies, type VectorCase } from './op-vectors.js';

type TfCase = VectorCase<{
  readonly json: { readonly weightsManifest: readonly { readonly paths: readonly string[] }[] };
  readonly weights?: string;
}>;

const runtime = onnxruntime({ threads: 1 });
const bare = (name: string) => name.replace(/:0$/, '');

async function read({ model }: TfCase) {
  const files = new Map([['model.json', new TextEncoder().encode(JSON.stringify(model.json))]]);
  for (const path of model.json.weightsManifest.flatMap(({ paths }) => paths))
    files.set(path, new Uint8Array(Buffer.from(model.weights ?? '', 'base64')));
  return openModel(memorySource('model.json', files), tfjs);
}

describe.each(vectorFamilies<TfCase['model']>('tf'))('%s', (_, cases) => {
  it.each(cases.map((each) => [each.name, each] as const))(
    '%s: onnxruntime gives what TensorFlow stored',
    async (_name, each) => {
      const model = await read(each);
      // Which cases have no canonical form is held by the test of the operators of TF.js.
      if ([...model.graph.nodes].some(({ op }) => op.name === 'Foreign')) return;
      const sink = new MemorySink();
      await writeModel(model, { to: onnx, sink });
      const loaded = await runtime.load({ source: memorySource('model.onnx', sink.files) });
      try {
        const given = new Map(each.inputs.map((input) => [bare(input.name), decodeVector(input)]));
        const made = await loaded.run(
          new Map(
            loaded.inputs.map(({ name, dtype }) => [
              name,
              castTensor(given.get(bare(name))!, dtype ?? 'float32'),
            ]),
          ),
        );
        for (const output of each.outputs) {
          const wanted = decodeVector(output);
          const result = made.get(bare(output.name)) ?? [...made.values()][0]!;
          expect(result.shape).toEqual(wanted.shape);
          const [a, b] = [toNumbers(result), toNumbers(wanted)];
          const largest = b.reduce(
            (most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most),
            1e-3,
          );
          const share = wanted.dtype.startsWith('float') ? 2e-5 : 0;
          const skipped = each.undefined?.[output.name]?.flat() ?? [];
          const wrong = [...b.keys()].filter(
            (i) =>
              !Object.is(a[i], b[i]) &&
              !(Math.abs(a[i]! - b[i]!) <= share * largest) &&
              !skipped.includes(i),
          );
          expect(wrong.map((i) => `${output.name}[${i}] is ${a[i]}, not ${b[i]}`)).toEqual([]);
        }
      } finally {
        await loaded.dispose();
      }
    },
  );
});
