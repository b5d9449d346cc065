import type { Graph, PathStep, Report, Value } from '@drover/core';
import { importNode } from '@drover/core/format';
import type { SymbolGraph, SymbolNode } from '../codec/symbol.js';
import { outputCounts } from '../codec/operator.js';
import { mxnetDiagnostics } from '../diagnostics.js';
import { headName } from '../vocabulary/head-name.js';
import type { ReadTable } from '../vocabulary/rule.js';
import { inferHints, type ShapeHints } from './shape-hints.js';
import { SourceNode } from '../vocabulary/source-node.js';

/** What the nodes of a whole model share while they are imported. */
export interface ImportContext {
  readonly file: string;
  readonly rules: ReadTable;
  readonly report: Report;
  /** The way from the main symbol to the one that is imported. */
  readonly path: readonly PathStep[];
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
  const totals = outputTotals(symbol);
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
      path: context.path,
      inputs: source.inputs.map((entry) => values[entry.node]![entry.output]),
      isUsed: (output) => used.has(`${index}:${output}`),
      hint: (output) => hints.shape(index, output),
      body: (at, inner, variables) => importBody(source, at, inner, context, variables),
    });
    values.push(importOne(node, context, totals(index)));
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

function importOne(
  node: SourceNode,
  { rules, report, file }: ImportContext,
  count: number,
): readonly (Value | undefined)[] {
  const parts = {
    rule: rules.get(node.type) ?? 'there is no rule for this operator',
    results: Array.from({ length: count }, (_, i) => headName(node.node, i, file)),
    foreign: () => ({
      format: 'mxnet',
      attributes: Object.fromEntries(node.node.attrs),
      types: new Array<undefined>(count).fill(undefined),
    }),
  };
  return importNode(node, parts, report) as readonly (Value | undefined)[];
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
  const path = [...context.path, { node: node.name, op: node.op!, body: String(index) }];
  return importNodes(symbol, graph, { ...context, path }, valueOf, hints);
}
