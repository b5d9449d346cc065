import {
  coreDiagnostics,
  DroverError,
  ops,
  type Graph,
  type Report,
  type Value,
} from '@drover/core';
import { outputCounts, outputSuffix, type SymbolGraph, type SymbolNode } from '../codec/index.js';
import { mxnetDiagnostics } from '../diagnostics.js';
import type { ReadRules } from './rule.js';
import { inferHints, type ShapeHints } from './shape-hints.js';
import { SourceNode } from './source-node.js';

/** What the nodes of a whole model share while they are imported. */
export interface ImportContext {
  readonly file: string;
  readonly rules: ReadRules;
  readonly report: Report;
}

/** The operators that compare with a label when they train; inference does not look at it. */
const trainingHeads = new Set([
  'SoftmaxOutput',
  'LinearRegressionOutput',
  'LogisticRegressionOutput',
  'MAERegressionOutput',
  'SVMOutput',
]);

/**
 * Number of outputs of a node: what its operator has, or for an unknown one as many as are used.
 */
export function outputTotals(graph: SymbolGraph): (index: number) => number {
  const used = new Map<number, number>();
  const note = ({ node, output }: { node: number; output: number }) =>
    used.set(node, Math.max(used.get(node) ?? 1, output + 1));
  for (const { inputs } of graph.nodes) inputs.forEach(note);
  graph.heads.forEach(note);
  return (index) => Math.max(outputCounts(graph.nodes[index]!)?.total ?? 1, used.get(index) ?? 1);
}

/** Indices of variables that serve only as labels of training heads, or as nothing. */
export function labelVariables(graph: SymbolGraph): ReadonlySet<number> {
  const labels = new Set<number>();
  const others = new Set<number>(graph.heads.map(({ node }) => node));
  for (const { op, inputs } of graph.nodes) {
    inputs.forEach(({ node }, i) =>
      (op !== null && trainingHeads.has(op) && i === 1 ? labels : others).add(node),
    );
  }
  return new Set(
    [...labels].filter((index) => graph.nodes[index]!.op === null && !others.has(index)),
  );
}

/** The name that MXNet gives to an output of a graph. */
export function headName(node: SymbolNode, output: number, file: string): string {
  if (node.op === null) return node.name;
  // Control flow numbers its outputs only when there are several.
  const isSingle = node.subgraphs.length > 0 && outputCounts(node, file)?.visible === 1;
  const suffix =
    (isSingle ? undefined : outputSuffix(node, output, file)) ??
    (output === 0 ? 'output' : `output${output}`);
  return `${node.name}_${suffix}`;
}

/**
 * Turns the nodes of one symbol into nodes of a core graph and gives the values of its heads.
 * `variable` gives the value of a variable, undefined for a label.
 */
export function importNodes(
  symbol: SymbolGraph,
  graph: Graph,
  context: ImportContext,
  variable: (index: number) => Value | undefined,
  hints: ShapeHints,
): readonly Value[] {
  const values: (readonly (Value | undefined)[])[] = [];
  const used = new Set(
    [...symbol.nodes.flatMap(({ inputs }) => inputs), ...symbol.heads].map(
      ({ node, output }) => `${node}:${output}`,
    ),
  );
  symbol.nodes.forEach((source, index) => {
    if (source.op === null) {
      values.push([variable(index)]);
      return;
    }
    const node = new SourceNode(source, {
      graph,
      file: context.file,
      inputs: source.inputs.map((entry) => values[entry.node]![entry.output]),
      isUsed: (output) => used.has(`${index}:${output}`),
      hint: (output) => hints.shape(index, output),
      body: (at, inner, variables) => importBody(source, at, inner, context, variables),
    });
    values.push(importNode(node, context, outputTotals(symbol)(index)));
  });
  return symbol.heads.map(({ node, output }) => {
    const value = values[node]![output];
    if (value) return value;
    const { name, op } = symbol.nodes[node]!;
    throw mxnetDiagnostics.error('symbol', {
      message: `A head of the graph is output ${output} of ${name}, which has none.`,
      origin: { file: context.file, node: name, op: op ?? 'null' },
    });
  });
}

function importNode(
  node: SourceNode,
  { rules, report, file }: ImportContext,
  outputs: number,
): readonly (Value | undefined)[] {
  const rule = Object.hasOwn(rules, node.type) ? rules[node.type] : undefined;
  let made: readonly (Value | undefined)[];
  try {
    if (!rule) throw node.unsupported('there is no rule for this operator');
    const result = rule(node);
    made = Array.isArray(result) ? (result as readonly (Value | undefined)[]) : [result as Value];
    if (node.unread.length > 0) {
      report.add(
        coreDiagnostics.diagnostic('attribute-ignored', {
          message: `${node.type} ${node.name} sets ${node.unread.join(', ')}, which nothing reads.`,
          origin: node.origin,
        }),
      );
    }
  } catch (error) {
    if (!(error instanceof DroverError) || error.failure !== 'unsupported') throw error;
    // The finding begins with the node; a foreign operator states the bare reason.
    made = foreign(
      node,
      error.diagnostics[0]!.message.replace(`${node.type} ${node.name}: `, '').replace(/\.$/, ''),
      outputs,
    );
  }
  made.forEach((value, i) => {
    // A value that the node made takes MXNet's name; one that it passes on keeps its own.
    if (!value?.producer || value.origin) return;
    value.name = headName(node.source, i, file);
    value.origin = { name: value.name };
  });
  return made;
}

function foreign(node: SourceNode, reason: string, outputs: number): readonly Value[] {
  const attributes = Object.fromEntries(node.source.attrs);
  const result = node.graph.add(
    ops.Foreign,
    { inputs: node.present },
    { format: 'mxnet', type: node.type, reason, attributes, types: null },
    { ...node.options, resultCount: outputs },
  );
  return result.outputs;
}

/** Imports a body of a node into a graph of its own. */
function importBody(
  node: SymbolNode,
  index: number,
  graph: Graph,
  context: ImportContext,
  variables: readonly Value[],
): readonly Value[] {
  const symbol = node.subgraphs[index];
  const origin = { file: context.file, node: node.name, op: node.op ?? 'null' };
  if (!symbol)
    throw mxnetDiagnostics.error('symbol', {
      message: `${node.op} ${node.name} has no body ${index}.`,
      origin,
    });
  const places = new Map(
    symbol.nodes.flatMap(({ op }, i) => (op === null ? [i] : [])).map((i, at) => [i, at]),
  );
  if (places.size !== variables.length) {
    throw mxnetDiagnostics.error('symbol', {
      message: `Body ${index} of ${node.name} has ${places.size} variables for ${variables.length} inputs.`,
      origin,
    });
  }
  const valueOf = (i: number) => variables[places.get(i)!];
  const hints = inferHints(
    symbol,
    (i) => {
      const value = valueOf(i)!;
      return value.shape && { dtype: value.dtype, shape: value.shape };
    },
    outputTotals(symbol),
    context.file,
  );
  return importNodes(symbol, graph, context, valueOf, hints);
}
