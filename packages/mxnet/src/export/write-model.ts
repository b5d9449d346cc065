import {
  applyRule,
  coreDiagnostics,
  prepare,
  type DType,
  type Graph,
  type Model,
  type Node,
  type Report,
  type Sink,
  type Value,
  type Weight,
  type WriteContext,
} from '@drover/core';
import {
  encodeParams,
  encodeSymbol,
  typeFlagOf,
  type SymbolGraph,
  type WritableArray,
} from '../codec/index.js';
import { mxnetDiagnostics } from '../diagnostics.js';
import { unrolled } from '../ops/write-control.js';
import { composites, writeRules } from '../rules.js';
import { withoutUnused } from './symbol-order.js';
import { GraphWriter, variableHints, type Ref } from './graph-writer.js';
import { keptApart } from './keep-apart.js';
import { widenProducts } from './widen-products.js';

/** Element types that MXNet's operators compute with. */
const computed: ReadonlySet<DType> = new Set([
  'float16',
  'float32',
  'float64',
  'int8',
  'uint8',
  'int32',
  'int64',
  'bool',
]);

/** A symbol and the arrays to store beside it. */
interface Written {
  readonly symbol: SymbolGraph;
  readonly arrays: readonly { readonly name: string; readonly weight: Weight }[];
}

/** Why MXNet cannot hold a value. */
function unheld({ dtype, shape }: Value): string | undefined {
  if (!computed.has(dtype)) return `MXNet does not compute with ${dtype}`;
  return shape?.includes(0) ? 'MXNet takes a size of 0 for one that is not known' : undefined;
}

function report(to: Report, file: string, node: Node, reason: string): void {
  const origin = {
    file,
    node: node.origin?.node ?? node.name,
    op: node.origin?.op ?? node.op.name,
  };
  const code = node.op.name === 'Foreign' ? 'foreign-op' : 'not-convertible';
  to.add(
    coreDiagnostics.diagnostic(code, {
      message: `${origin.op} ${origin.node}: ${reason}.`,
      origin,
    }),
  );
}

/**
 * Writes every node of a graph by its rule; what has none is reported, and what only rests on it is
 * not reported again. Gives whether all were written.
 */
function writeNodes(writer: GraphWriter, to: Report, file: string): boolean {
  const lost = new Set<Value>();
  for (const node of writer.graph.sorted()) {
    if (writer.isFinished(node)) continue;
    writer.begin(node);
    const isCut = [...node.dependencies()].some((value) => lost.has(value));
    const reason =
      node.op.name === 'Foreign'
        ? undefined
        : [
            ...node.outputs.filter((value) => value.users.size > 0 || writer.isOutput(value)),
            ...node.inputs.filter((value) => value?.constant),
          ]
            .map((value) => unheld(value!))
            .find((each) => each !== undefined);
    const missing =
      reason ??
      (isCut && node.op.name !== 'Foreign' ? '' : applyRule(writeRules, node, writer)?.gap);
    if (missing === undefined) continue;
    if (missing !== '') report(to, file, node, missing);
    for (const value of node.outputs) lost.add(value);
  }
  return lost.size === 0;
}

/**
 * Writes the variables of a graph's inputs, and gives which nodes they are. Truth arrives as bool
 * and is held in float32.
 */
function bindInputs(
  graph: Graph,
  writer: GraphWriter,
  { report: to }: WriteContext,
  file: string,
): ReadonlySet<number> {
  const variables = new Set<number>();
  for (const input of graph.inputs) {
    const reason = input.rank === 0 ? 'MXNet has no scalars to feed' : unheld(input);
    if (reason !== undefined)
      to.add(
        coreDiagnostics.diagnostic('not-convertible', {
          message: `The input ${input}: ${reason}.`,
          origin: { file, node: input.name },
        }),
      );
    const variable = writer.variable(writer.unique(input.name), variableHints(input));
    writer.bind(
      input,
      input.dtype === 'bool' ? writer.step('Cast', [variable], { dtype: 'float32' }) : variable,
    );
    variables.add(variable.node);
  }
  return variables;
}

/**
 * A head for each output: MXNet calls it by the node that makes it, so that nodes are named after
 * the outputs they make.
 */
function headOf(name: string, value: Value, writer: GraphWriter, taken: Set<string>): Ref {
  const ref = writer.ref(value);
  const key = `${ref.node}:${ref.output}`;
  if (value.dtype === 'bool') return writer.named('Cast', name, [ref], { dtype: 'bool' });
  if (taken.has(key) || writer.nodes[ref.node]!.op === null)
    return writer.named('_copy', name, [ref], {});
  taken.add(key);
  writer.rename(ref, name);
  return ref;
}

/** The model in MXNet's terms, weights as handles. Findings go to the context's report. */
async function toSymbol(model: Model, context: WriteContext): Promise<Written> {
  const { report: to } = context;
  const graph = await prepare(
    model,
    { layout: 'channelsFirst', keeps: composites, unroll: unrolled },
    context.options,
  );
  widenProducts(graph);
  const writer = new GraphWriter(graph, (each) => writeNodes(each, to, model.file));
  const inputs = bindInputs(graph, writer, context, model.file);
  writeNodes(writer, to, model.file);
  if (to.errors.length > 0) return { symbol: writer.symbol([]), arrays: [] };
  const taken = new Set<string>();
  const heads = graph.outputs.map(({ name, value }) => {
    const reason = value.producer ? undefined : unheld(value);
    if (reason !== undefined)
      to.add(
        coreDiagnostics.diagnostic('not-convertible', {
          message: `The output ${name}: ${reason}.`,
          origin: { file: model.file, node: name },
        }),
      );
    if (value.rank === 0)
      to.add(
        mxnetDiagnostics.diagnostic('scalar-output', {
          message: `The output ${name} has the shape [1] in MXNet.`,
          origin: { file: model.file, node: name },
        }),
      );
    return headOf(name, value, writer, taken);
  });
  const symbol = withoutUnused(writer.symbol(heads), inputs);
  const variables = new Set(symbol.nodes.map(({ name }) => name));
  const arrays: { name: string; weight: Weight }[] = [];
  for (const [name, { weight, isAuxiliary, isMade }] of writer.arrays) {
    if (!variables.has(name)) continue;
    if (typeFlagOf(weight.dtype) === undefined) {
      to.add(
        mxnetDiagnostics.diagnostic('not-writable', {
          message: `${name} is ${weight.dtype}, a type that MXNet does not have.`,
          origin: { file: model.file, node: name },
        }),
      );
    }
    arrays.push({ name: `${isAuxiliary ? 'aux' : 'arg'}:${name}`, weight });
    if (isMade) continue;
    for (const { name: source, steps } of weight.sources())
      context.tensor({
        source,
        target: name,
        transform: steps.map((step) => JSON.stringify(step)).join(' '),
      });
  }
  return { symbol: keptApart(symbol, (name) => writer.unique(name)), arrays };
}

/** The name of the params file beside a symbol file. */
export function paramsPath(symbolPath: string): string {
  return `${symbolPath.replace(/(-symbol)?\.json$/, '')}-0000.params`;
}

/** Finds what {@link writeModel} would refuse. */
export async function planModel(model: Model, context: WriteContext): Promise<void> {
  await toSymbol(model, context);
}

/**
 * Writes a model as symbol and params, as MXNet 1.9.1 loads them.
 */
export async function writeModel(model: Model, sink: Sink, context: WriteContext): Promise<void> {
  const { symbol, arrays } = await toSymbol(model, context);
  context.report.throwIfErrors();
  await writeFiles(
    symbol,
    arrays.map(({ name, weight: { dtype, shape, handle } }) => ({
      name,
      dtype,
      shape,
      bytes: handle,
    })),
    sink,
    context.path,
  );
}

/** Writes the params file and then the symbol that refers to it. */
export async function writeFiles(
  symbol: SymbolGraph,
  arrays: readonly WritableArray[],
  sink: Sink,
  path: string,
): Promise<void> {
  const params = paramsPath(path);
  const weights = await sink.create(params);
  await encodeParams(weights, arrays, params);
  await weights.close();
  const file = await sink.create(path);
  await file.write(new TextEncoder().encode(encodeSymbol(symbol)));
  await file.close();
}
