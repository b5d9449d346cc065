import { readFileSync } from 'node:fs';
import { memorySource, MemorySink } from '@drover/core';
import { DataLocation, DataType, type ModelProto } from '../schema/onnx.js';
import { decodeModel } from './decode.js';
import { encodeModel } from './encode.js';
import { moveToExternalData } from './external-data.js';
import { TensorReader, type NumericContent } from './tensor-content.js';
import { tensorsOf } from './tensors-of.js';

const models = new URL('../../../../fixtures/models/', import.meta.url);
const fileMap = (...names: string[]) =>
  new Map(names.map((name) => [name, new Uint8Array(readFileSync(new URL(name, models)))]));

describe('moveToExternalData', () => {
  test('a real model reads the same from two files as from one', async () => {
    const name = 'torch-mobilenet_v2/dynamo_op18.onnx';
    const source = memorySource(name, fileMap(name));
    const model = await decodeModel(source);
    const { model: moved, data } = moveToExternalData(model, 'model.onnx.data');
    const sink = new MemorySink();
    const weights = await sink.create(data.path);
    await data.write(weights);
    await weights.close();
    const file = await sink.create('model.onnx');
    await encodeModel(moved, file);
    await file.close();
    await sink.commit();
    expect(sink.files.get('model.onnx.data')).toHaveLength(data.size);
    expect(sink.files.get('model.onnx')!.length).toBeLessThan(source.size - 40_000);

    const written = memorySource('model.onnx', sink.files);
    const before = [...tensorsOf('ModelProto', model)];
    const after = [...tensorsOf('ModelProto', await decodeModel(written))];
    expect(after.map(({ name }) => name)).toEqual(before.map(({ name }) => name));
    let external = 0;
    for (const [i, tensor] of after.entries()) {
      const [one, two] = [
        await new TensorReader(source).open(before[i]!),
        await new TensorReader(written).open(tensor),
      ];
      expect(await (two as NumericContent).data.read()).toEqual(
        await (one as NumericContent).data.read(),
      );
      if (tensor.dataLocation !== 1) continue;
      external++;
      expect(Number(tensor.externalData![1]!.value) % 4096).toBe(0);
    }
    expect(external).toBeGreaterThan(15);
  });

  test('subgraphs and functions take part, attributes stay, the given model is not changed', () => {
    const tensor = (name: string, length: number) => ({
      name,
      dataType: DataType.UINT8,
      dims: [length],
      rawData: new Uint8Array(length),
    });
    const inner = { initializer: [tensor('inner', 2000)] };
    const model: ModelProto = {
      graph: {
        initializer: [tensor('small', 1023), tensor('large', 1024)],
        node: [{ attribute: [{ g: inner }, { t: tensor('attribute', 5000) }] }],
      },
      functions: [
        { node: [{ attribute: [{ graphs: [{ initializer: [tensor('function', 1)] }, inner] }] }] },
      ],
    };
    const copy = structuredClone(model);
    const { model: moved, data } = moveToExternalData(model, 'w.data');
    expect(model).toEqual(copy);
    const places = [...tensorsOf('ModelProto', moved)].map(({ name, externalData }) => [
      name,
      externalData?.map(({ value }) => value),
    ]);
    expect(places).toEqual([
      ['inner', ['w.data', '4096', '2000']],
      ['attribute', undefined],
      ['small', undefined],
      ['large', ['w.data', '0', '1024']],
      ['function', undefined],
      ['inner', ['w.data', '8192', '2000']],
    ]);
    expect(data.size).toBe(10_192);
  });

  test('a path out of the folder is refused', () => {
    expect(() => moveToExternalData({ graph: {} }, '../w.data')).toThrow('core/path');
  });
});

test('weights that the onnx package moved, those of attributes, subgraphs and functions too', async () => {
  const file = (name: string) =>
    new Uint8Array(readFileSync(new URL(`./testdata/${name}`, import.meta.url)));
  const facts = JSON.parse(
    readFileSync(new URL('./testdata/external.json', import.meta.url), 'utf8'),
  ) as {
    name: string;
    shape: number[];
    data: string;
  }[];
  const source = memorySource(
    'external.onnx',
    new Map(['external.onnx', 'external.onnx.data'].map((name) => [name, file(name)])),
  );
  const reader = new TensorReader(source);
  const found = [];
  for (const tensor of tensorsOf('ModelProto', await decodeModel(source))) {
    expect(tensor.dataLocation).toBe(DataLocation.EXTERNAL);
    const { shape, data } = (await reader.open(tensor)) as NumericContent;
    found.push({
      name: tensor.name,
      shape,
      data: Buffer.from(await data.read()).toString('base64'),
    });
  }
  const sorted = (list: { name?: string | undefined }[]) =>
    list.toSorted((a, b) => (a.name! < b.name! ? -1 : 1));
  expect(sorted(found)).toEqual(sorted(facts));
});
