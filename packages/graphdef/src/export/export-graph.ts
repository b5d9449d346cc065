import type { DType, Graph, Value, Weight } from '@drover/core';
import {
  integerRanges,
  UniqueNames,
  writeNodes,
  writtenOutputs,
  type WriteContext,
} from '@drover/core/format';
import type {
  FunctionDef,
  GraphDef,
  NodeDef,
  SignatureDef,
  TensorInfo,
} from '../codec/graph-def.js';
import { writeRules } from '../rules.js';
import { shape as shapeAttr } from '../vocabulary/placeholder-shape.js';
import { type } from '../vocabulary/attribute.js';
import { GraphWriter } from '../vocabulary/graph-writer.js';
import { legalName } from '../vocabulary/legal-name.js';
import { heldBy, tellTypes } from './tell-types.js';

/** A core graph in TensorFlow's terms. */
export interface ExportedGraph {
  readonly graph: GraphDef;
  readonly signature: SignatureDef;
  /**
   * Elements of the Const nodes in the order of the nodes, and the types in which they are to be
   * stored.
   */
  readonly weights: readonly {
    readonly name: string;
    readonly weight: Weight;
    readonly dtype: DType;
  }[];
}

/** What a graph is exported for. */
export interface ExportTarget {
  /** The type in which the container holds elements of a type; undefined when it cannot. */
  readonly typeOf: (dtype: DType) => DType | undefined;
  /** File that the model comes from, for findings. */
  readonly file: string;
}

/**
 * The key of an input or output; members of JSON objects that look like numbers would lose their
 * place in the order.
 */
const keyOf = (name: string) => (/^\d+$/.test(name) ? `tensor_${name}` : name);

/**
 * Writes a prepared graph (channels last) in operators that TensorFlow and TensorFlow.js execute
 * alike. Findings go to the report: with an error among them the result is incomplete.
 */
export function exportGraph(
  graph: Graph,
  target: ExportTarget,
  context: Pick<WriteContext, 'report' | 'value'>,
): ExportedGraph {
  const weights: { name: string; weight: Weight; dtype: DType }[] = [];
  const functions: FunctionDef[] = [];
  const ranges = integerRanges(graph, heldBy(target.typeOf));
  const writer = new GraphWriter(graph, {
    names: new UniqueNames((wanted) => legalName(wanted === '' ? 'value' : wanted)),
    weights,
    functions,
    typeOf: target.typeOf,
    ranges,
    writeNodes: (each) => void writeNodes(each, writeRules, context),
  });
  tellTypes(graph, ranges, target, context.report);
  const info = (value: Value, node: string): TensorInfo => ({
    name: `${node}:0`,
    dtype: writer.dataType(value),
    shape: shapeAttr(value.shape),
    extra: new Map(),
  });
  const inputs = new Map<string, TensorInfo>();
  for (const input of graph.inputs) {
    const node = writer.unique(input.name);
    const placeholder: NodeDef = {
      name: node,
      op: 'Placeholder',
      inputs: [],
      device: '',
      attrs: new Map([
        ['dtype', type(writer.dataType(input))],
        ['shape', { kind: 'shape', value: shapeAttr(input.shape) }],
      ]),
      extra: new Map(),
    };
    writer.nodes.push(placeholder);
    writer.set(input, { text: node, dtype: writer.typeOf(input.dtype) });
    inputs.set(keyOf(input.name), info(input, node));
  }
  const outputs = writtenOutputs(graph).map((each) => ({
    ...each,
    node: writer.unique(each.name),
  }));
  for (const { value, node, isAlias } of outputs) if (!isAlias) writer.bind(value, node);
  writeNodes(writer, writeRules, context);
  for (const { value, node, isAlias } of outputs)
    if (isAlias) writer.named('Identity', node, [value]);
  return {
    graph: {
      nodes: writer.nodes,
      functions,
      gradients: [],
      versions: { producer: 1482, minConsumer: 0, badConsumers: [] },
      extra: new Map(),
    },
    signature: {
      inputs,
      outputs: new Map(outputs.map(({ name, value, node }) => [keyOf(name), info(value, node)])),
      methodName: '',
      extra: new Map(),
    },
    weights,
  };
}
