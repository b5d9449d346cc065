import {
  DroverError,
  applyRule,
  coreDiagnostics,
  integerRanges,
  type DType,
  type Graph,
  type Report,
  type Value,
  type Weight,
} from '@drover/core';
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

function writeNodes(writer: GraphWriter, report: Report, file: string): void {
  for (const node of writer.graph.sorted()) {
    writer.begin(node);
    const origin = {
      file,
      node: node.origin?.node ?? node.name,
      op: node.origin?.op ?? node.op.name,
    };
    const refuse = (reason: string): void => {
      const foreign = node.op.name === 'Foreign';
      report.add(
        coreDiagnostics.diagnostic(foreign ? 'foreign-op' : 'not-convertible', {
          message: `${origin.op} ${origin.node}: ${reason}.`,
          origin,
        }),
      );
      // What rests on the node is still looked at, so that every gap is told.
      for (const value of node.outputs)
        writer.set(value, {
          text: writer.unique(value.name),
          dtype: writer.model.typeOf(value.dtype) ?? value.dtype,
        });
    };
    try {
      const missing = applyRule(writeRules, node, writer);
      if (missing) refuse(missing.gap);
    } catch (error) {
      if (!(error instanceof DroverError) || error.failure !== 'unsupported') throw error;
      refuse(error.diagnostics[0]?.message ?? error.message);
    }
  }
}

/** Names of outputs: each a node of its own, near to the output's name. */
function bindOutputs(
  graph: Graph,
  writer: GraphWriter,
): readonly { readonly value: Value; readonly node: string; readonly isAlias: boolean }[] {
  const bound = new Set<Value>(graph.inputs);
  return graph.outputs.map(({ name, value }) => {
    const node = writer.unique(name);
    const isAlias = bound.has(value) || value.constant !== undefined;
    if (!isAlias) {
      writer.bind(value, node);
      bound.add(value);
    }
    return { value, node, isAlias };
  });
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
export function exportGraph(graph: Graph, target: ExportTarget, report: Report): ExportedGraph {
  const weights: { name: string; weight: Weight; dtype: DType }[] = [];
  const functions: FunctionDef[] = [];
  const ranges = integerRanges(graph, heldBy(target.typeOf));
  const writer = new GraphWriter(graph, {
    taken: new Set(),
    weights,
    functions,
    typeOf: target.typeOf,
    ranges,
    writeNodes: (each) => writeNodes(each, report, target.file),
  });
  tellTypes(graph, ranges, target, report);
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
  const outputs = bindOutputs(graph, writer);
  writeNodes(writer, report, target.file);
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
      outputs: new Map(
        outputs.map(({ value, node }, i) => [keyOf(graph.outputs[i]!.name), info(value, node)]),
      ),
      methodName: '',
      extra: new Map(),
    },
    weights,
  };
}
