import {
  ByteHandle,
  bytesOf,
  Graph,
  Model,
  sizeOf,
  symbol,
  Weight,
  type Report,
  type Source,
  type Value,
} from '@drover/core';
import { dimName, importNode, tally, valueOf, type ReadContext } from '@drover/core/format';
import {
  modelVersion,
  readModelFile,
  siblingWeights,
  type FileOperator,
  type FileTensor,
} from '../codec/index.js';
import { __name__Diagnostics } from '../diagnostics.js';
import { readRules } from '../rules.js';
import { SourceNode } from '../vocabulary/source-node.js';

/**
 * Tensors of at most this many bytes are held in memory, so that shape arithmetic on them needs no
 * reads.
 */
const maxMemoryBytes = 1024;

async function handleOf(
  { name, dtype, shape, offset }: FileTensor,
  weights: Source,
): Promise<Weight> {
  const bytes = ByteHandle.range(weights, offset, bytesOf(dtype, sizeOf(shape)));
  const handle = bytes.length <= maxMemoryBytes ? await bytes.load() : bytes;
  return Weight.stored(dtype, shape, name, handle);
}

/** The results of an operator, by its rule or as a foreign operator. */
function importOperator(
  operator: FileOperator,
  operands: readonly Value[],
  graph: Graph,
  { file, report }: { readonly file: string; readonly report: Report },
): readonly (Value | undefined)[] {
  const parts = {
    rule: readRules.get(operator.type) ?? 'there is no rule for this operator',
    results: operator.outputs,
    foreign: () => ({
      format: '__name__',
      attributes: Object.fromEntries(operator.attributes),
      types: new Array<undefined>(operator.outputs.length).fill(undefined),
    }),
  };
  return importNode<SourceNode>(new SourceNode(graph, operator, operands, file), parts, report);
}

/**
 * Reads a model file, with handles to the weights beside it. What has no canonical form stays in
 * the graph as a foreign operator with the reason. Errors: those of the codec, `core/missing-file`,
 * `core/range`, `__name__/graph`, `__name__/attribute`.
 */
export async function readModel(source: Source, { report, params }: ReadContext): Promise<Model> {
  const { inputs, tensors, operators, outputs, metadata } = await readModelFile(source);
  const file = source.name;
  const graph = new Graph();
  const values = new Map<string, Value>();
  for (const { name, dtype, shape } of inputs) {
    const dims = shape?.map((dim) => (typeof dim === 'number' ? dim : symbol(dimName(dim))));
    values.set(name, graph.input(name, dtype, dims, valueOf(file, name)));
  }
  if (tensors.length > 0) {
    const weights = params ?? (await source.sibling(siblingWeights(file)));
    for (const tensor of tensors) {
      const { name } = tensor;
      const weight = await handleOf(tensor, weights);
      values.set(name, graph.constant(weight, name, valueOf(file, name)));
    }
  }
  const taken = (name: string, by: string): Value => {
    const value = values.get(name);
    if (value) return value;
    throw __name__Diagnostics.error('graph', {
      message: `${by} takes ${JSON.stringify(name)}, which nothing before it makes.`,
      origin: { file, node: by },
    });
  };
  for (const operator of operators) {
    const operands = operator.inputs.map((name) => taken(name, operator.name));
    const results = importOperator(operator, operands, graph, { file, report });
    operator.outputs.forEach((name, i) => {
      const made = results[i];
      if (made) values.set(name, made);
    });
  }
  for (const { name, value } of outputs) graph.output(name, taken(value, name));
  return new Model(graph, {
    format: '__name__',
    versions: { __name__: String(modelVersion) },
    operators: tally(operators.map(({ type }) => type)),
    file,
    metadata,
  });
}
