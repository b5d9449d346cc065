import { coreDiagnostics, type Model, type Sink, type Value } from '@drover/core';
import { symbolName, prepare, tellTensor, writeNodes } from '@drover/core/format';
import type { Writing } from '../about.js';
import { writeModelFile, type FileInput, type ModelFile } from '../codec/index.js';
import { composites, writeRules } from '../rules.js';
import { GraphWriter, unheld } from '../vocabulary/graph-writer.js';

/** Why the format cannot declare an input. */
function undeclared(input: Value): string | undefined {
  const odd = input.shape?.find((dim) => typeof dim !== 'number' && symbolName(dim) === undefined);
  return odd === undefined ? unheld(input) : `its size ${odd} is neither a number nor a name`;
}

const inputOf = (input: Value, name: string): FileInput => ({
  name,
  dtype: input.dtype,
  shape: input.shape?.map((dim) => (typeof dim === 'number' ? dim : symbolName(dim)!)),
});

/** The model in the format's terms, weights as handles. Findings go to the context's report. */
async function toModelFile(model: Model, context: Writing) {
  const { report } = context;
  const needs = { layout: 'channelsFirst', keeps: composites } as const;
  const graph = await prepare(model, needs, context.options.inputLayout);
  const writer = new GraphWriter(graph);
  const declared = [
    ...graph.inputs.map((each) => ['input', each.name, undeclared(each)] as const),
    ...graph.outputs.map(
      ({ name, value }) => ['output', name, value.producer ? undefined : unheld(value)] as const,
    ),
  ];
  for (const [what, name, reason] of declared) {
    if (reason === undefined) continue;
    report.add(
      coreDiagnostics.diagnostic('not-convertible', {
        message: `The ${what} ${name}: ${reason}.`,
        reason,
        origin: { file: model.file, node: name },
      }),
    );
  }
  writeNodes(writer, writeRules, context);
  const outputs = graph.outputs.map(({ name, value }) => ({ name, value: writer.ref(value) }));
  for (const [target, weight] of writer.tensors) tellTensor(target, weight, context.tensor);
  return { graph, writer, outputs };
}

/** Finds what {@link writeModel} would refuse. */
export async function planModel(model: Model, context: Writing): Promise<void> {
  await toModelFile(model, context);
}

/** Writes a model file and its weights. */
export async function writeModel(model: Model, sink: Sink, context: Writing): Promise<void> {
  const { graph, writer, outputs } = await toModelFile(model, context);
  context.report.throwIfErrors();
  const { operators } = writer;
  const inputs = graph.inputs.map((input) => inputOf(input, writer.ref(input)));
  const file: Omit<ModelFile, 'tensors'> = { inputs, operators, outputs, metadata: model.metadata };
  const tensors = [...writer.tensors].map(([name, { dtype, shape, handle }]) => ({
    name,
    dtype,
    shape,
    bytes: handle,
  }));
  await writeModelFile(file, tensors, sink, context.path);
}
