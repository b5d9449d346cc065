import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ConversionError,
  memorySource,
  MemorySink,
  type Format,
  type Model,
  openModel,
  writeModel,
} from '@drover/core';
import { mxnet } from '@drover/mxnet';
import { bindInMxnet } from './bind-in-mxnet.js';
import {
  evaluateWithAllowance,
  decodeVector,
  mismatch,
  vectorFamilies,
  type StoredTensor,
  type VectorCase,
} from './op-vectors.js';
import { vectorFrameworks } from './vector-frameworks.js';

/**
 * Cases in which MXNet itself computes something else, and why. One that agrees must be taken out.
 */
const differing: Readonly<Record<string, string>> = {
  'Relu/nan': 'oneDNN, through which MXNet runs Activation, gives 0 for NaN',
};

/** A case that MXNet's format can say, and the folder that it was written to. */
interface Written {
  readonly each: VectorCase<unknown>;
  readonly folder: string;
  readonly model: Model;
}

const isUnsayable = (error: unknown) => error instanceof ConversionError;

async function write(
  format: Format,
  each: VectorCase<unknown>,
  files: Map<string, Uint8Array>,
  folder: string,
): Promise<Written | undefined> {
  const model = await openModel(memorySource(format.fileNames.usual, files), format);
  const sink = new MemorySink();
  try {
    await writeModel(model, { to: mxnet, sink });
  } catch (error) {
    if (isUnsayable(error)) return undefined;
    throw error;
  }
  await sink.commit();
  mkdirSync(folder);
  for (const [name, bytes] of sink.files) writeFileSync(join(folder, name), bytes);
  const inputs = model.graph.inputs.map(({ name }, i) => ({
    ...(each.inputs.find((input) => input.name === name) ?? each.inputs[i]!),
    name,
  }));
  writeFileSync(join(folder, 'inputs.json'), JSON.stringify(inputs));
  return { each, folder, model };
}

/**
 * What the operators of a model may lose; one that core has no form of is written back as it was
 * and should lose nothing.
 */
async function allowance(
  { graph }: Model,
  inputs: readonly StoredTensor[],
): Promise<{ ulp: number; largest: number }> {
  const isForeign = [...graph.nodes].some(({ op }) => op.name === 'Foreign');
  return isForeign
    ? { ulp: 0, largest: 0 }
    : evaluateWithAllowance(graph, inputs.map(decodeVector));
}

/**
 * Fewer would mean that something stopped being written: how many cases of each framework MXNet's
 * format can say.
 */
const atLeast: Readonly<Record<string, number>> = { onnx: 336, mxnet: 430, tf: 244 };

const python = process.env['DROVER_MXNET_PYTHON'] ?? process.env['MXNET_PYTHON'];

describe.each(vectorFrameworks)(
  'operators of $name, written for MXNet',
  ({ name: framework, format, files }) => {
    const root = mkdtempSync(join(tmpdir(), 'drover-mxnet-'));
    const written: Written[] = [];
    afterAll(() => rmSync(root, { recursive: true, force: true }));

    it('are bound by real MXNet, and give what the framework gave', async () => {
      if (python === undefined)
        throw new Error(
          'Set DROVER_MXNET_PYTHON to the python of an environment with mxnet 1.9.1.',
        );
      const cases = vectorFamilies<unknown>(framework).flatMap(([family, all]) =>
        all.map((each) => [`${family}_${each.name.replaceAll('/', '_')}`, each] as const),
      );
      for (const [folder, each] of cases) {
        const done = await write(format, each, files(each), join(root, folder));
        if (done) written.push(done);
      }
      bindInMxnet(python, root);
      const wrong: string[] = [];
      for (const { each, folder, model } of written) {
        if (!existsSync(join(folder, 'outputs.json'))) {
          wrong.push(
            `${each.name}: ${readFileSync(join(folder, 'error.txt'), 'utf8').slice(0, 300)}`,
          );
          continue;
        }
        const outputs = JSON.parse(
          readFileSync(join(folder, 'outputs.json'), 'utf8'),
        ) as readonly StoredTensor[];
        const inputs = JSON.parse(
          readFileSync(join(folder, 'inputs.json'), 'utf8'),
        ) as readonly StoredTensor[];
        const { ulp, largest } = await allowance(model, inputs);
        model.graph.outputs.forEach(({ name }, i) => {
          const stored = each.outputs.find((output) => output.name === name) ?? each.outputs[i]!;
          // MXNet has no scalars: a list of one element stands for one.
          const expected = stored.shape.length === 0 ? { ...stored, shape: [1] } : stored;
          const why = mismatch(decodeVector(outputs[i]!), expected, ulp + 32, {
            largest,
            ranges: each.undefined?.[stored.name] ?? [],
          });
          if (why !== undefined && !(each.name in differing)) wrong.push(`${each.name}: ${why}`);
          if (why === undefined && each.name in differing) wrong.push(`${each.name} agrees`);
        });
      }
      expect(wrong).toEqual([]);
      expect(written.length).toBeGreaterThanOrEqual(atLeast[framework]!);
    }, 600_000);
  },
);
