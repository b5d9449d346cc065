import {
  coreDiagnostics,
  ops,
  type DType,
  type Graph,
  type Model,
  type Node,
  type Sink,
  type Value,
  type ValueMapping,
  type Weight,
} from '@drover/core';
import { prepare, tellTensor, writeNodes } from '@drover/core/format';
import type { Writing } from '../about.js';
import type { SymbolGraph } from '../codec/symbol.js';
import { formatAttr } from '../codec/attr-value.js';
import { encodeParams, type WritableArray } from '../codec/encode-params.js';
import { encodeSymbol } from '../codec/encode-symbol.js';
import { paramsAmong, paramsPath } from '../codec/params-path.js';
import { typeFlagOf } from '../codec/type-flag.js';
import { mxnetDiagnostics } from '../diagnostics.js';
import { unrolled } from '../ops/control.js';
import { composites, writeRules } from '../rules.js';
import { headName } from '../vocabulary/head-name.js';
import { withoutUnused } from '../vocabulary/symbol-order.js';
import { GraphWriter, type Ref } from '../vocabulary/graph-writer.js';
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

/** Why MXNet cannot hold what a node gives or is given. */
function refusal(node: Node, writer: GraphWriter): string | undefined {
  if (node.is(ops.Foreign)) return undefined;
  const given = node.inputs.filter((value) => value?.constant) as Value[];
  const made = node.outputs.filter((value) => value.users.size > 0 || writer.isOutput(value));
  return [...made, ...given].map(unheld).find((reason) => reason !== undefined);
}

/**
 * Writes the variables of a graph's inputs, and gives which nodes they are. Truth arrives as bool
 * and is held in float32.
 */
function bindInputs(
  graph: Graph,
  writer: GraphWriter,
  { report: to }: Writing,
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
async function toSymbol(model: Model, context: Writing): Promise<Written> {
  const { report: to } = context;
  const graph = await prepare(
    model,
    { layout: 'channelsFirst', keeps: composites, unroll: unrolled, namesModules: true },
    context.options.inputLayout,
  );
  widenProducts(graph);
  const values: ValueMapping[] = [];
  const notes = { report: to, value: (each: ValueMapping) => void values.push(each) };
  const writer = new GraphWriter(graph, {
    writeNodes: (each) => writeNodes(each, writeRules, notes),
    refusal,
  });
  const inputs = bindInputs(graph, writer, context, model.file);
  writeNodes(writer, writeRules, notes);
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
  for (const { source, target } of values) {
    const [node, output] = target.split(':').map(Number) as [number, number];
    const written = writer.nodes[node]!;
    if (variables.has(written.name))
      context.value({ source, target: headName(written, output, model.file) });
  }
  const arrays: { name: string; weight: Weight }[] = [];
  for (const [name, { weight, isAuxiliary }] of writer.arrays) {
    if (!variables.has(name)) continue;
    if (typeFlagOf(weight.dtype) === undefined) {
      to.add(
        coreDiagnostics.diagnostic('not-writable', {
          message: `${name} is ${weight.dtype}, a type that MXNet does not have.`,
          origin: { file: model.file, node: name },
        }),
      );
    }
    arrays.push({ name: `${isAuxiliary ? 'aux' : 'arg'}:${name}`, weight });
    tellTensor(name, weight, context.tensor);
  }
  return { symbol: keptApart(symbol, (name) => writer.unique(name)), arrays };
}

/** Finds what {@link writeModel} would refuse. */
export async function planModel(model: Model, context: Writing): Promise<void> {
  await toSymbol(model, context);
}

/**
 * Writes a model as symbol and params, as MXNet 1.9.1 loads them.
 */
export async function writeModel(model: Model, sink: Sink, context: Writing): Promise<void> {
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

/**
 * Writes the params file and then the symbol, which is found to belong to it by its name alone.
 * Throws `mxnet/other-params` where readers would take another file that stands there.
 */
export async function writeFiles(
  symbol: SymbolGraph,
  arrays: readonly WritableArray[],
  sink: Sink,
  path: string,
): Promise<void> {
  const params = paramsPath(path);
  const name = params.slice(params.lastIndexOf('/') + 1);
  const standing = (await sink.standing?.(path)) ?? [];
  const taken = paramsAmong(path, [...standing.filter((each) => each !== name), name]);
  if (taken !== name)
    throw mxnetDiagnostics.error('other-params', {
      message: `${taken} stands where ${name} would be written, and readers would take it for the parameters of ${path}.`,
      origin: { file: path },
    });
  const weights = await sink.create(params);
  await encodeParams(weights, arrays, params);
  await weights.close();
  const file = await sink.create(path);
  await file.write(new TextEncoder().encode(encodeSymbol(symbol)));
  await file.close();
}

/** Hints that a variable carries about itself: sizes that are not known are 0. */
function variableHints({ dtype, shape }: Value): ReadonlyMap<string, string> {
  const hints = new Map<string, string>();
  const flag = typeFlagOf(dtype);
  if (flag !== undefined) hints.set('__dtype__', String(flag));
  if (shape)
    hints.set('__shape__', formatAttr(shape.map((dim) => (typeof dim === 'number' ? dim : 0))));
  return hints;
}
