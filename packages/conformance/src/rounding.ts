import {
  castTensor,
  DroverError,
  isFloat,
  memorySource,
  MemorySink,
  openModel,
  writeModel,
  type Format,
  type Model,
  type Runtime,
  type Tensor,
} from '@drover/core';
import { roundingConfidence } from '@drover/core/format';
import { consultOracle, errorOf, judge, type OutputJudgement } from '@drover/parity';
import { onnxruntime } from '@drover/runtimes/onnxruntime';
import { tfjs } from '@drover/runtimes/tfjs';
import { decodeVector, vectorFamilies, type VectorCase } from './op-vectors.js';
import { subjectOf } from './subjects.js';
import { vectorFrameworks } from './vector-frameworks.js';

/** How far one implementation is off the reference on one vector, in what the operator may be. */
export interface MeasuredRounding {
  /** The operator in core that most of the expected error comes from. */
  readonly op: string;
  /** The vector, as `onnx Conv/plain`. */
  readonly vector: string;
  /** What computed it: a runtime here, or the framework that the vector was recorded from. */
  readonly by: string;
  /** Error over allowance: 1 is the most that a correct implementation may be off. */
  readonly ratio: number;
  /** The verdict on it, held to what the vector was recorded from; that itself has none. */
  readonly judgement: OutputJudgement | undefined;
}

const runtimes: readonly { readonly runtime: Runtime; readonly format: Format }[] = [
  { runtime: onnxruntime({ threads: 1 }), format: subjectOf('onnx').format },
  { runtime: tfjs(), format: subjectOf('tfjs').format },
];

const bare = (name: string) => name.replace(/:0$/, '');

/** Measures every vector of a framework that core has a form for and whose results are floats. */
export async function measureRounding(framework: string): Promise<MeasuredRounding[]> {
  const { format, files } = vectorFrameworks.find(({ name }) => name === framework)!;
  const measured: MeasuredRounding[] = [];
  for (const [, cases] of vectorFamilies<unknown>(framework))
    for (const each of cases) {
      const source = memorySource(format.fileNames.usual, files(each));
      const open = () => openModel(source, format);
      const model = await open();
      const isForeign = [...model.graph.nodes].some(({ op }) => op.name === 'Foreign');
      if (isForeign || !model.graph.outputs.some(({ value }) => isFloat(value.dtype))) continue;
      measured.push(...(await measureCase(framework, each, model, open)));
    }
  return measured;
}

async function measureCase(
  framework: string,
  each: VectorCase<unknown>,
  { graph }: Model,
  open: () => Promise<Model>,
): Promise<MeasuredRounding[]> {
  const inputs = new Map(
    graph.inputs.map(({ name }, i) => {
      const stored = each.inputs.find((input) => bare(input.name) === bare(name));
      return [name, decodeVector(stored ?? each.inputs[i]!)];
    }),
  );
  const names = graph.outputs.map(({ name }) => name);
  let oracle;
  try {
    oracle = await consultOracle(graph, inputs, names, each.name);
  } catch (error) {
    // Sizes that a symbol of MXNet does not tell, and a vector of ragged tensors.
    if (error instanceof DroverError) return [];
    throw error;
  }
  const recorded = names.map((name, i) => {
    const stored = each.outputs.find((output) => bare(output.name) === bare(name));
    return decodeVector(stored ?? each.outputs[i]!);
  });
  const recordedBy = each.oracle === 'both' ? 'onnxruntime' : each.oracle;
  const results = new Map<string, readonly (Tensor | undefined)[]>([[recordedBy, recorded]]);
  for (const { runtime, format } of runtimes) {
    const outputs = await runIn(runtime, format, await open(), inputs);
    if (outputs)
      results.set(
        runtime.id,
        names.map((name, i) => outputs.get(name) ?? [...outputs.values()][i]),
      );
  }
  const measured: MeasuredRounding[] = [];
  for (const [by, outputs] of results)
    for (const [i, name] of names.entries()) {
      const [exact, expected] = [oracle.outputs.get(name)!, oracle.expected.get(name)!];
      const actual = outputs[i];
      if (!actual || !isFloat(exact.dtype) || each.undefined) continue;
      // A type that the target lacks was narrowed: what that loses is another matter.
      if (actual.dtype !== exact.dtype || actual.data.length !== exact.data.length) continue;
      const [op] = expected.shares.keys();
      if (op === undefined) continue;
      const error = errorOf(actual, exact);
      const times = Math.max(error.rms / expected.rms, error.max / expected.max);
      const ratio = error.max === 0 ? 0 : times / roundingConfidence;
      const source = recorded[i]!;
      const evidence = {
        source: new Map([[name, source]]),
        target: new Map([[name, actual]]),
        oracle,
      };
      const judgement =
        actual === source ? undefined : (await judge([name], [evidence])).outputs[0];
      measured.push({ op, vector: `${framework} ${each.name}`, by, ratio, judgement });
    }
  return measured;
}

/** What a runtime gives for a model that is written in its format; undefined where it cannot. */
async function runIn(
  runtime: Runtime,
  format: Format,
  model: Model,
  inputs: ReadonlyMap<string, Tensor>,
): Promise<Map<string, Tensor> | undefined> {
  try {
    const sink = new MemorySink();
    await writeModel(model, { to: format, sink });
    const loaded = await runtime.load({
      format,
      source: memorySource(format.fileNames.usual, sink.files),
    });
    try {
      const given = [...inputs.values()];
      return await loaded.run(
        new Map(
          loaded.inputs.map(({ name, dtype }, i) => {
            const value = inputs.get(name) ?? given[i]!;
            return [name, dtype ? castTensor(value, dtype) : value];
          }),
        ),
      );
    } finally {
      await loaded.dispose();
    }
  } catch (error) {
    if (error instanceof DroverError) return undefined;
    throw error;
  }
}

/** Median and worst ratio of each operator. */
export function roundingTable(measured: readonly MeasuredRounding[]) {
  const byOp = new Map<string, MeasuredRounding[]>();
  for (const each of measured) byOp.set(each.op, [...(byOp.get(each.op) ?? []), each]);
  return [...byOp]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([op, all]) => {
      const sorted = all.toSorted((a, b) => a.ratio - b.ratio);
      return {
        op,
        count: all.length,
        median: sorted[Math.floor(sorted.length / 2)]!.ratio,
        worst: sorted.at(-1)!,
      };
    });
}
