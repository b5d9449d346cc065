import {
  coreDiagnostics,
  Graph,
  symbol,
  type Dim,
  type DType,
  type Report,
  type Shape,
  type Weight,
} from '@drover/core';
import { dimName, valueOf } from '@drover/core/format';
import { dtypeOf, type DataType } from '../codec/data-type.js';
import type { GraphDef, NodeDef, SignatureDef, TensorShape } from '../codec/graph-def.js';
import { attrOf, parseInput } from '../codec/operator.js';
import { graphdefDiagnostics } from '../diagnostics.js';
import { legalName } from '../vocabulary/legal-name.js';
import { readRules } from '../rules.js';
import { compareOutputs, contradictsPlaceholder, reportInput } from './contradictions.js';
import { raiseConditionals } from './conditionals.js';
import { raiseFrames } from './frames.js';
import { GraphImporter } from './graph-importer.js';
import { removeUnused } from '../ops/while-loop.js';

/** A graph of TensorFlow and what goes with it. */
export interface GraphSource {
  /** Name of the graph in core. */
  readonly name: string;
  readonly graph: GraphDef;
  /**
   * What the model's inputs and outputs are; without it placeholders are inputs, and what nothing
   * uses is an output.
   */
  readonly signature: SignatureDef | undefined;
  readonly file: string;
  /** Elements of a Const node as a handle; undefined when the container stores none. */
  readonly weightOf: (node: NodeDef) => Weight | undefined;
}

interface Endpoint {
  /** `node:k`. */
  readonly tensor: string;
  readonly name: string;
  readonly dtype?: DataType;
  readonly shape?: TensorShape | undefined;
}

/**
 * The name of an endpoint: its key where the writer made the node's name out of that, else the name
 * of the tensor, without `:0`.
 */
function endpointName(key: string, tensor: string): string {
  const name = tensor.replace(/:0$/, '');
  return legalName(key) === name ? key : name;
}

function inputsOf({ graph, signature }: GraphSource): readonly Endpoint[] {
  const declared = [...(signature?.inputs ?? [])].filter(
    ([, { resourceId }]) => resourceId === undefined,
  );
  if (declared.length > 0)
    return declared.map(([key, { name, dtype, shape }]) => ({
      tensor: name,
      name: endpointName(key, name),
      dtype,
      shape,
    }));
  return graph.nodes
    .filter(({ op }) => op === 'Placeholder' || op === 'PlaceholderWithDefault')
    .map(({ name }) => ({ tensor: name, name }));
}

function outputsOf({ graph, signature, file }: GraphSource): readonly Endpoint[] {
  const declared = [...(signature?.outputs ?? [])];
  if (declared.length > 0)
    return declared.map(([key, { name }]) => ({ tensor: name, name: endpointName(key, name) }));
  const used = new Set(
    graph.nodes.flatMap(({ inputs }) => inputs.map((input) => parseInput(input, file).node)),
  );
  return graph.nodes
    .filter(({ name, op }) => !used.has(name) && op !== 'NoOp' && op !== 'Const')
    .map(({ name }) => ({ tensor: name, name }));
}

/** Dimensions as core states them: those that the file leaves open are named after the input. */
function shapeOf(name: string, shape: TensorShape | undefined): Shape | undefined {
  return shape?.dims?.map((size, axis): Dim =>
    Number(size) >= 0 ? Number(size) : symbol(dimName(`${name}_${axis}`)),
  );
}

/**
 * Imports a graph of TensorFlow into core. What has no canonical form becomes a foreign operator
 * with the reason; placeholders keep their names, types and shapes. Throws `graphdef/graph`,
 * `graphdef/attribute`, `core/signature-type`, `core/invalid-shape`, `core/invalid-graph`.
 */
export function importGraph(given: GraphSource, report: Report): Graph {
  const { file } = given;
  const source = { ...given, graph: raiseConditionals(raiseFrames(given.graph, file), file) };
  const def = source.graph;
  const functions = new Map(def.functions.map((each) => [each.signature.name, each]));
  const importer = new GraphImporter({
    file,
    rules: readRules,
    report,
    weightOf: source.weightOf,
    functions,
  });
  const graph = new Graph(given.name);
  const scope = importer.scope(graph, def.nodes);
  const nodes = new Map(def.nodes.map((node) => [node.name, node]));
  for (const { tensor, name, dtype: stated, shape } of inputsOf(source)) {
    const ref = parseInput(tensor, file);
    const node = nodes.get(ref.node);
    const placed = node && attrOf(node, 'shape');
    const type = node && attrOf(node, 'dtype');
    const dataType = type?.kind === 'type' ? type.value : stated;
    const dtype: DType | undefined = dataType && dtypeOf(dataType);
    const origin = { file, node: ref.node };
    if (!node)
      throw graphdefDiagnostics.error('graph', {
        message: `There is no node for the input ${tensor}.`,
        origin,
      });
    if (!dtype)
      throw coreDiagnostics.error('signature-type', {
        message: `The input ${name} is ${dataType ?? 'of no stated type'}, which is no tensor of plain elements.`,
        origin,
      });
    const placeholder = {
      dtype: dataType,
      shape: placed?.kind === 'shape' ? placed.value : undefined,
    };
    const isWrong = contradictsPlaceholder({ dtype: stated, shape }, placeholder);
    if (isWrong) reportInput(name, { dtype: stated, shape }, placeholder, file, report);
    const dims = shape?.dims && !isWrong ? shape : (placeholder.shape ?? shape);
    scope.set(ref.node, [graph.input(name, dtype, shapeOf(name, dims), valueOf(file, name))]);
  }
  const outputs = outputsOf(source);
  const values = importer.import(
    def.nodes,
    scope,
    outputs.map(({ tensor }) => tensor),
  );
  outputs.forEach(({ name }, i) => graph.output(name, values[i]!));
  removeUnused(graph);
  if (source.signature) compareOutputs(source.signature, graph, file, report);
  return graph;
}
