import { MemorySink, convert, memorySource, type Format } from '@drover/core';
import { openFile } from '@drover/node';
import { onnx } from '@drover/onnx';
import { decodeModel } from '@drover/onnx/codec';
import { tfjs } from '@drover/tfjs';
import { join } from 'node:path';
import { modelFolder } from './model-fixture.js';

interface Files {
  readonly format: Format;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

async function converted(from: Format, to: Format, path: string, inputLayout?: 'nchw' | 'nhwc'): Promise<Files> {
  const sink = new MemorySink();
  const source = await openFile(path);
  await convert({ from, to, source, sink, inputLayout });
  source.close();
  return { format: to, files: sink.files };
}

async function back({ format, files }: Files, to: Format): Promise<Files> {
  const sink = new MemorySink();
  await convert({ from: format, to, source: memorySource(format.fileName, files), sink });
  return { format: to, files: sink.files };
}

/** Operators of a written model by its file alone, without the readers under test. */
async function operators({ format, files }: Files): Promise<string[]> {
  if (format === onnx) return (await decodeModel(memorySource(format.fileName, files))).graph!.node.map(({ opType }) => opType ?? '');
  const { modelTopology } = JSON.parse(new TextDecoder().decode(files.get(format.fileName))) as {
    modelTopology: { node: { op: string }[] };
  };
  return modelTopology.node.map(({ op }) => op);
}

const transposes = async (files: Files) => (await operators(files)).filter((op) => op === 'Transpose').length;

// Each has one image input. Classifiers give [batch, classes]; a U-Net gives an image.
const cases = [
  ['torch-mobilenet_v2/ts_op17.onnx', 1],
  ['torch-mobilenet_v2/dynamo_op18.onnx', 1],
  ['torch-squeezenet/ts_op11.onnx', 1],
  ['torch-squeezenet/dynamo_op18.onnx', 1],
  ['torch-unet/ts_op11.onnx', 2],
  ['torch-unet/dynamo_op18.onnx', 2],
  ['tf-mobilenet_v2/tfjs/model.json', 1],
  ['tf-squeezenet/tfjs/model.json', 1],
  ['tf-unet/tfjs/model.json', 2],
] as const;

describe.each(cases)('%s in the other layout', (file, images) => {
  const [from, to] = file.endsWith('.onnx') ? [onnx, tfjs] : [tfjs, onnx];
  const path = join(modelFolder, file);

  it(`has a transpose for each image of its signature: ${images}`, async () => {
    expect(await transposes(await converted(from, to, path))).toBe(images);
  });

  it('has none at its input where that is declared in the layout of the target', async () => {
    expect(await transposes(await converted(from, to, path, to === tfjs ? 'nhwc' : 'nchw'))).toBe(images - 1);
  });

  it('has none when it comes back', async () => {
    expect(await transposes(await back(await converted(from, to, path), from))).toBe(0);
  });
});
