import {
  MemorySink,
  convert,
  memorySource,
  tensor,
  toNumbers,
  type Format,
  type Tensor,
} from '@drover/core';
import { openFile } from '@drover/node';
import { onnx } from '@drover/onnx';
import { decodeModel, type GraphProto } from '@drover/onnx/codec';
import { reference } from '@drover/runtimes/reference';
import { tfjs } from '@drover/tfjs';
import { join } from 'node:path';
import { modelFolder } from './model-fixture.js';
import { info, initializer, modelOf, node, sourceOfModel } from './small-model.js';

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
  { file: 'torch-unet/ts_op11.onnx', images: 2, more: { there: 0, back: 8, reason: normalises } },
  {
    file: 'torch-unet/dynamo_op18.onnx',
    images: 2,
    more: { there: 0, back: 8, reason: normalises },
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

const ramp = (dtype: 'int8' | 'uint8' | 'float32' | 'int32', shape: readonly number[]): Tensor =>
  tensor(
    dtype,
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) =>
      dtype === 'float32' ? Math.fround(0.01 + 0.001 * i) : (i * 37) % 19,
    ),
  );

/**
 * Four convolutions of codes [2, 3, 5, 7] in a chain. `layer` gives the nodes of one, which share
 * their parameters.
 */
function chain(layer: (from: string, to: string) => ReturnType<typeof node>[]): GraphProto {
  const names = ['x', 'a', 'b', 'c', 'y'];
  return {
    node: names.slice(1).flatMap((to, i) => layer(names[i]!, to)),
    input: [info('x', 'uint8', [2, 3, 5, 7])],
    output: [info('y', 'uint8', [2, 3, 5, 7])],
    initializer: Object.entries({
      w: ramp('int8', [3, 3, 3, 3]),
      bias: ramp('int32', [3]),
      scale: tensor('float32', [], [0.05]),
      zero: tensor('uint8', [], [3]),
      wScale: ramp('float32', [3]),
      wZero: tensor('int8', [3], [0, 0, 0]),
    }).map(([name, value]) => initializer(name, value)),
  };
}
const window = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };

/**
 * By what stands around the convolutions: the model, and how many filters are in codes that become
 * numbers when it runs, each permuted then to the order that TensorFlow has.
 */
const quantised: Readonly<Record<string, { graph: GraphProto; filters: number }>> = {
  'quantised values around plain ones': {
    filters: 4,
    graph: chain((from, to) => [
      node('DequantizeLinear', [from, 'scale', 'zero'], [`${to}_x`]),
      node('DequantizeLinear', ['w', 'wScale', 'wZero'], [`${to}_w`], { axis: 0 }),
      node('Conv', [`${to}_x`, `${to}_w`], [`${to}_y`], window),
      node('QuantizeLinear', [`${to}_y`, 'scale', 'zero'], [to]),
    ]),
  },
  'scales for each channel': {
    filters: 4,
    graph: chain((from, to) => [
      node('DequantizeLinear', [from, 'wScale'], [`${to}_x`], { axis: 1 }),
      node('DequantizeLinear', ['w', 'wScale', 'wZero'], [`${to}_w`], { axis: 0 }),
      node('Conv', [`${to}_x`, `${to}_w`], [`${to}_y`], window),
      node('QuantizeLinear', [`${to}_y`, 'wScale'], [to], { axis: 1 }),
    ]),
  },
  'convolutions of codes': {
    filters: 0,
    graph: chain((from, to) => [
      node(
        'QLinearConv',
        [from, 'scale', 'zero', 'w', 'wScale', 'wZero', 'scale', 'zero', 'bias'],
        [to],
        window,
      ),
    ]),
  },
  'scales found while it runs': {
    filters: 0,
    graph: chain((from, to) => [
      node('ConvInteger', [from, 'w', 'zero'], [`${to}_i`], window),
      node('Cast', [`${to}_i`], [`${to}_f`], { to: 1 }),
      node('DynamicQuantizeLinear', [`${to}_f`], [to, `${to}_s`, `${to}_z`]),
    ]),
  },
};

describe.each(Object.entries(quantised))(
  'a chain of convolutions with %s',
  (_, { graph, filters }) => {
    const inputs = new Map([['x', ramp('uint8', [2, 3, 5, 7])]]);

    async function run(format: Format, source: Awaited<ReturnType<typeof sourceOfModel>>) {
      const loaded = await reference().load({ format, source });
      const results = await loaded.run(inputs);
      await loaded.dispose();
      return results.get('y')!;
    }

    it('has a transpose at each end and none between, and computes the same', async () => {
      const source = await sourceOfModel(modelOf(graph));
      const sink = new MemorySink();
      await convert({ from: onnx, to: tfjs, source, sink });
      expect(await transposes({ format: tfjs, files: sink.files })).toBe(2 + filters);
      const [was, is] = [
        await run(onnx, source),
        await run(tfjs, memorySource(tfjs.fileNames.usual, sink.files)),
      ];
      expect(is.shape).toEqual(was.shape);
      expect(new Set(toNumbers(was)).size).toBeGreaterThan(9);
      const codes = toNumbers(is);
      toNumbers(was).forEach((code, i) => expect(codes[i]).toBe(code));
    });
  },
);
