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

async function converted(
  from: Format,
  to: Format,
  path: string,
  inputLayout?: 'nchw' | 'nhwc',
): Promise<Files> {
  const sink = new MemorySink();
  const source = await openFile(path);
  await convert({ from, to, source, sink, options: { inputLayout } });
  source.close();
  return { format: to, files: sink.files };
}

async function back({ format, files }: Files, to: Format): Promise<Files> {
  const sink = new MemorySink();
  await convert({ from: format, to, source: memorySource(format.fileNames.usual, files), sink });
  return { format: to, files: sink.files };
}

/** Operators of a written model by its file alone, without the readers under test. */
async function operators({ format, files }: Files): Promise<string[]> {
  if (format === onnx)
    return (await decodeModel(memorySource(format.fileNames.usual, files))).graph!.node!.map(
      ({ opType }) => opType ?? '',
    );
  const { modelTopology } = JSON.parse(
    new TextDecoder().decode(files.get(format.fileNames.usual)),
  ) as {
    modelTopology: { node: { op: string }[] };
  };
  return modelTopology.node.map(({ op }) => op);
}

const transposes = async (files: Files) =>
  (await operators(files)).filter((op) => op === 'Transpose').length;

interface Case {
  readonly file: string;
  /**
   * Images in the signature: each has one image input, and a U-Net gives an image where a
   * classifier gives [batch, classes].
   */
  readonly images: number;
  /** Known to remain beside those, and why. An improvement has to change the number. */
  readonly more?: { readonly there: number; readonly back: number; readonly reason: string };
}

const normalises =
  'The U-Nets of the fixtures normalise by groups: what an exporter wrote for that splits the channels, in one layout.';
const cases: readonly Case[] = [
  { file: 'torch-mobilenet_v2/ts_op17.onnx', images: 1 },
  { file: 'torch-mobilenet_v2/dynamo_op18.onnx', images: 1 },
  { file: 'torch-squeezenet/ts_op11.onnx', images: 1 },
  { file: 'torch-squeezenet/dynamo_op18.onnx', images: 1 },
  { file: 'torch-unet/ts_op11.onnx', images: 2, more: { there: 0, back: 10, reason: normalises } },
  {
    file: 'torch-unet/dynamo_op18.onnx',
    images: 2,
    more: { there: 0, back: 10, reason: normalises },
  },
  { file: 'tf-mobilenet_v2/tfjs/model.json', images: 1 },
  { file: 'tf-squeezenet/tfjs/model.json', images: 1 },
  { file: 'tf-unet/tfjs/model.json', images: 2, more: { there: 2, back: 0, reason: normalises } },
];

describe.each(cases.map((each) => [each.file, each] as const))(
  '%s in the other layout',
  (file, { images, more }) => {
    const [from, to] = file.endsWith('.onnx') ? [onnx, tfjs] : [tfjs, onnx];
    const path = join(modelFolder, file);
    const { there, back: returned } = more ?? { there: 0, back: 0 };

    it(`has a transpose for each image of its signature: ${images}${there === 0 ? '' : `, and ${there} more`}`, async () => {
      expect(await transposes(await converted(from, to, path))).toBe(images + there);
    });

    it('has none at its input where that is declared in the layout of the target', async () => {
      expect(await transposes(await converted(from, to, path, to === tfjs ? 'nhwc' : 'nchw'))).toBe(
        images - 1 + there,
      );
    });

    it(`has ${returned === 0 ? 'none' : returned} when it comes back`, async () => {
      expect(await transposes(await back(await converted(from, to, path), from))).toBe(returned);
    });
  },
);
