import { memorySource, MemorySink, Report, type Model, openModel, writeModel } from '@drover/core';
import { onnx } from '@drover/onnx';
import {
  decodeModel,
  TensorReader,
  type GraphProto,
  type ModelProto,
  type NumericContent,
} from '@drover/onnx/codec';
import { onnxruntime } from '@drover/runtimes/onnxruntime';
import { reference } from '@drover/runtimes/reference';
import onnxProto from 'onnx-proto';
import { convertInMemory, declaredBy, openFixture, worstDistance } from './conversion-chain.js';
import { modelFixtures, type ModelFixture } from './model-fixture.js';

const fixtures = modelFixtures('onnx').map((fixture) => [fixture.id, fixture] as const);
const sourceOf = (bytes: Uint8Array) =>
  memorySource('model.onnx', new Map([['model.onnx', bytes]]));

/** Reads a fixture while its file is open, and does something with the model. */
async function withModel<T>(
  fixture: ModelFixture,
  use: (model: Model, proto: ModelProto) => Promise<T>,
): Promise<T> {
  const opened = await openFixture(fixture);
  try {
    const report = new Report();
    const model = await openModel(opened.source, onnx, { report });
    expect(report.diagnostics).toEqual([]);
    return await use(model, await decodeModel(opened.source));
  } finally {
    opened.close();
  }
}

async function written(model: Model, opset?: number): Promise<Uint8Array> {
  const sink = new MemorySink();
  const report = new Report();
  await writeModel(model, { to: onnx, sink, options: { opset }, report });
  expect(report.diagnostics).toEqual([]);
  await sink.commit();
  expect([...sink.files.keys()]).toEqual(['model.onnx']);
  return sink.files.get('model.onnx')!;
}

const formatOf = (bytes: Uint8Array) => ({
  format: onnx,
  files: new Map([['model.onnx', bytes]]),
  source: sourceOf(bytes),
});

/**
 * Largest difference over the largest value: two runtimes of one framework differ by up to 1e-6.
 */
const bound = 5e-6;

/**
 * The same for the reference, which computes in float64: basic_pitch takes logarithms of sums that
 * all but cancel, and float32 loses digits there.
 */
const referenceBound = (id: string) => (id.startsWith('basic_pitch') ? 2e-3 : bound);

/** Milliseconds for a test: the reference takes seconds for the larger models. */
const patience = 60_000;

describe.each(fixtures)('%s', (id, fixture) => {
  it(
    'computes in the reference what the framework computed',
    async () => {
      const opened = await openFixture(fixture);
      try {
        const model = await openModel(opened.source, onnx);
        const distance = await worstDistance(
          reference(),
          { format: onnx, files: new Map(), source: opened.source },
          await fixture.goldens(),
          declaredBy(model),
        );
        expect(distance).toBeLessThan(referenceBound(id));
      } finally {
        opened.close();
      }
    },
    patience,
  );

  it.each([13, 17, 23])('computes it in onnxruntime, written at version %i', (opset) =>
    withModel(fixture, async (model) => {
      expect(
        await worstDistance(
          onnxruntime({ threads: 1 }),
          formatOf(await written(model, opset)),
          await fixture.goldens(),
          declaredBy(model),
        ),
      ).toBeLessThan(bound);
    }),
  );

  it(
    'is written with equal bytes again, and from what was written',
    () =>
      withModel(fixture, async (model) => {
        const first = await written(model);
        expect(Buffer.compare(first, await written(model))).toBe(0);
        const again = await openModel(sourceOf(first), onnx);
        expect(Buffer.compare(first, await written(again))).toBe(0);
      }),
    patience,
  );

  it(
    'keeps the signature, the metadata and the names of what it keeps',
    () =>
      withModel(fixture, async (model, source) => {
        const proto = await decodeModel(sourceOf(await written(model)));
        const shapeOf = (graph: GraphProto, side: 'input' | 'output') =>
          graph[side]!.map(({ name, type }) => [
            name,
            type!.tensorType!.elemType,
            type!.tensorType!.shape?.dim?.map(({ dimValue }) => dimValue),
          ]);
        const initializers = new Set(source.graph!.initializer?.map(({ name }) => name));
        expect(shapeOf(proto.graph!, 'input')).toEqual(
          shapeOf(source.graph!, 'input').filter(([name]) => !initializers.has(name as string)),
        );
        expect(proto.graph!.output!.map(({ name }) => name)).toEqual(
          source.graph!.output!.map(({ name }) => name),
        );
        expect(proto.metadataProps ?? []).toEqual(source.metadataProps ?? []);
        // Every convolution, recurrent layer and embedding stands under its own name and makes a
        // value of its own name.
        const key = (graph: GraphProto, types: readonly string[]) =>
          (graph.node ?? [])
            .filter(({ opType }) => types.includes(opType!))
            .map(({ name, output }) => `${name || output![0]} -> ${output![0]}`)
            .sort();
        const kept = ['Conv', 'ConvTranspose', 'LSTM', 'GRU', 'MaxPool'];
        expect(key(proto.graph!, kept)).toEqual(key(source.graph!, kept));
        for (const node of proto.graph!.node!.filter(({ opType }) => opType === 'Conv')) {
          if (initializers.has(node.input![1]!))
            expect(proto.graph!.initializer!.map(({ name }) => name)).toContain(node.input![1]);
        }
      }),
    patience,
  );

  it(
    'is copied with every byte',
    async () => {
      const opened = await openFixture(fixture);
      try {
        const copy = await convertInMemory(onnx, onnx, opened.source);
        const hasExternal = copy.files.size > 1;
        if (!hasExternal)
          expect(Buffer.compare(copy.files.get('model.onnx')!, await opened.source.read())).toBe(0);
        const [before, after] = [await decodeModel(opened.source), await decodeModel(copy.source)];
        const contents = async (proto: ModelProto, source: Parameters<typeof decodeModel>[0]) => {
          const reader = new TensorReader(source);
          const found: [string, string][] = [];
          for (const tensor of proto.graph!.initializer ?? []) {
            const { data } = (await reader.open(tensor)) as NumericContent;
            found.push([tensor.name!, Buffer.from(await data.read()).toString('base64')]);
          }
          return found;
        };
        expect(await contents(after, copy.source)).toEqual(await contents(before, opened.source));
        const bare = ({ graph, ...rest }: ModelProto) => ({
          ...rest,
          graph: { ...graph!, initializer: [] },
        });
        expect(bare(after)).toEqual(bare(before));
      } finally {
        opened.close();
      }
    },
    patience,
  );

  it(
    'is read by another decoder as what this one reads',
    () =>
      withModel(fixture, async (model) => {
        const bytes = await written(model);
        const ours = await decodeModel(sourceOf(bytes));
        const theirs = onnxProto.onnx.ModelProto.decode(bytes);
        const number = (value: unknown) => Number(value as number);
        const attributes = (
          list: readonly {
            name?: string | null;
            type?: number | null;
            f?: number | null;
            i?: unknown;
            ints?: readonly unknown[] | null;
            s?: Uint8Array | null;
          }[] = [],
        ) =>
          list.map(({ name, type, f, i, ints, s }) => ({
            name,
            type,
            f: f ?? 0,
            i: number(i ?? 0),
            ints: (ints ?? []).map(number),
            s: Buffer.from(s ?? []).toString('hex'),
          }));
        const nodes = (
          list: readonly {
            name?: string | null;
            opType?: string | null;
            input?: readonly string[] | null;
            output?: readonly string[] | null;
            attribute?: readonly object[] | null;
          }[] = [],
        ) =>
          list.map(({ name, opType, input, output, attribute }) => ({
            name,
            opType,
            input: [...(input ?? [])],
            output: [...(output ?? [])],
            attribute: attributes(attribute as never),
          }));
        expect(nodes(theirs.graph!.node as never)).toEqual(nodes(ours.graph!.node));
        expect(
          theirs.opsetImport.map(({ domain, version }) => [domain ?? '', number(version)]),
        ).toEqual(ours.opsetImport!.map(({ domain, version }) => [domain ?? '', number(version)]));
        const reader = new TensorReader(sourceOf(bytes));
        const weights = await Promise.all(
          ours.graph!.initializer!.map(async (tensor) => {
            const { data } = (await reader.open(tensor)) as NumericContent;
            return [
              tensor.name,
              tensor.dataType,
              (tensor.dims ?? []).map(number),
              Buffer.from(await data.read()).toString('base64'),
            ];
          }),
        );
        expect(
          theirs.graph!.initializer!.map(({ name, dataType, dims, rawData }) => [
            name,
            dataType,
            dims!.map(number),
            Buffer.from(rawData!).toString('base64'),
          ]),
        ).toEqual(weights);
      }),
    patience,
  );
});
