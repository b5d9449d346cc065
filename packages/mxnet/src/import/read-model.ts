import {
  coreDiagnostics,
  Graph,
  Weight,
  type DType,
  Model,
  type Source,
  type Value,
} from '@drover/core';
import { storeOf, tally, type FileTensor, type ReadContext, valueOf } from '@drover/core/format';
import { isParams, type NdArrayRecord } from '../codec/decode-params.js';
import type { SymbolGraph } from '../codec/symbol.js';
import { inputName, isAuxiliary } from '../codec/operator.js';
import { readSymbol } from '../codec/decode-symbol.js';
import { mxnetDiagnostics } from '../diagnostics.js';
import { readRules } from '../rules.js';
import { compareVariables } from './contradictions.js';
import { findParams, readArrays, type ParamsArray } from './find-params.js';
import { importNodes, labelVariables, outputTotals } from './graph-importer.js';
import { headName } from '../vocabulary/head-name.js';
import { inferHints } from './shape-hints.js';

/**
 * Tensors of at most this many bytes are held in memory, so that shape arithmetic on them needs no
 * reads.
 */
const maxMemoryBytes = 1024;

/**
 * Names of inputs that hold what training learns: a variable used as one is not an input of the
 * model.
 */
const learned = /^(weight|bias|gamma|beta|moving_mean|moving_var|parameters)$/;

async function handleOf({ dtype, shape, bytes }: NdArrayRecord, name: string): Promise<Weight> {
  const handle = bytes.length <= maxMemoryBytes ? await bytes.load() : bytes;
  return Weight.stored(dtype, shape, name, handle);
}

/** Variables that are parameters by their use. */
function learnedVariables(graph: SymbolGraph, file: string): ReadonlySet<number> {
  const found = new Set<number>();
  for (const node of graph.nodes) {
    if (node.op === null) continue;
    node.inputs.forEach((entry, i) => {
      if (
        graph.nodes[entry.node]!.op === null &&
        (isAuxiliary(node, i, file) || learned.test(inputName(node, i, file) ?? ''))
      )
        found.add(entry.node);
    });
  }
  return found;
}

/** The operators of nodes and of the bodies in them. */
const operatorsOf = ({ nodes }: SymbolGraph): readonly string[] =>
  nodes.flatMap(({ op, subgraphs }) =>
    op === null ? [] : [op, ...subgraphs.flatMap(operatorsOf)],
  );

/**
 * Reads an MXNet model: a symbol file of any version and the params beside it, or those that the
 * context names. Inputs are the variables without a stored array, their types what hints, operators
 * and parameters tell; labels of training heads are dropped. What has no canonical form stays in
 * the graph as a foreign operator with the reason. Errors: those of the codec,
 * `core/missing-file`, `core/invalid-shape`, and `core/incapable` for a params file.
 */
export async function readModel(source: Source, { report, params }: ReadContext): Promise<Model> {
  if (isParams(await source.read({ offset: 0, length: Math.min(16, source.size) })))
    throw coreDiagnostics.error('incapable', {
      message: `${source.name} is a params file: arrays without a graph.`,
      help: 'Give the symbol file, PREFIX-symbol.json, to read it as a model.',
      origin: { file: source.name },
    });
  const { graph: symbol, sourceVersion } = await readSymbol(source);
  const file = source.name;
  const stored = params ?? (await findParams(source));
  const arrays = stored ? await readArrays(stored) : new Map<string, ParamsArray>();
  const labels = labelVariables(symbol);
  const missing = [...learnedVariables(symbol, file)].filter(
    (index) => !arrays.has(symbol.nodes[index]!.name),
  );
  if (missing.length > 0 && arrays.size === 0) {
    const names = missing.slice(0, 3).map((index) => symbol.nodes[index]!.name);
    throw coreDiagnostics.error('missing-file', {
      help: 'Put PREFIX-0000.params beside PREFIX-symbol.json, or name the file with --params.',
      message: `No stored arrays for ${names.join(', ')}${missing.length > 3 ? ` and ${missing.length - 3} more` : ''}.`,
      origin: { file },
    });
  }
  const recordOf = (index: number): NdArrayRecord | undefined => {
    const node = symbol.nodes[index]!;
    const record = node.op === null ? arrays.get(node.name) : undefined;
    return record?.storage.kind === 'none' ? undefined : record;
  };
  const tensors: FileTensor[] = [];
  for (const [name, record] of arrays)
    if (record.storage.kind !== 'none')
      tensors.push({ name, weight: await handleOf(record, name), role: record.role });
  const weights = new Map(tensors.map(({ name, weight }) => [name, weight]));
  compareVariables(symbol, recordOf, file, report);
  const hints = inferHints(symbol, recordOf, outputTotals(symbol), file);
  const graph = new Graph();
  const variables = new Map<number, Value>();
  // Arrays are bound by name, so variables of one name are one.
  const named = new Map<string, Value>();
  for (const [index, { op, name }] of symbol.nodes.entries()) {
    if (op !== null) continue;
    const known = named.get(name);
    if (known) {
      variables.set(index, known);
      continue;
    }
    const weight = weights.get(name);
    if (weight) variables.set(index, graph.constant(weight, name, valueOf(file, name)));
    else if (!labels.has(index)) {
      const shape = hints.shape(index, 0);
      const dtype: DType = hints.dtype(index, 0) ?? 'float32';
      variables.set(index, graph.input(name, dtype, shape, valueOf(file, name)));
    }
    const made = variables.get(index);
    if (made) named.set(name, made);
  }
  const used = new Set(symbol.nodes.filter(({ op }) => op === null).map(({ name }) => name));
  for (const name of arrays.keys()) {
    if (!used.has(name))
      report.add(
        mxnetDiagnostics.diagnostic('unused-param', {
          message: `Nothing uses the array ${name}.`,
          origin: { file: stored!.name, node: name },
        }),
      );
  }
  const heads = importNodes(
    symbol,
    graph,
    { file, rules: readRules, report, path: [] },
    (index) => variables.get(index),
    hints,
  );
  const taken = new Set<string>();
  heads.forEach((value, i) => {
    const { node, output } = symbol.heads[i]!;
    const wanted = headName(symbol.nodes[node]!, output, file);
    let name = wanted;
    for (let copy = 1; taken.has(name); copy++) name = `${wanted}_${copy}`;
    taken.add(name);
    graph.output(name, value);
  });
  const version = [
    Math.floor(sourceVersion / 10000),
    Math.floor(sourceVersion / 100) % 100,
    sourceVersion % 100,
  ].join('.');
  return new Model(graph, {
    format: 'mxnet',
    versions: { mxnet: version },
    producer: `MXNet ${version}`,
    operators: tally(operatorsOf(symbol)),
    file,
    store: () => storeOf([graph], tensors),
  });
}
