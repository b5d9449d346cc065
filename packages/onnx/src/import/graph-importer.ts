import {
  DroverError,
  Graph,
  dimName,
  ops,
  symbol,
  type Dim,
  type DType,
  type Report,
  type Shape,
  type Value,
  type Weight,
} from '@drover/core';
import type { AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto } from '../codec/index.js';
import { dtypeOf } from '../codec/index.js';
import { onnxDiagnostics } from '../diagnostics.js';
import { attributeJson } from './attribute-json.js';
import { bindFunction } from './function-body.js';
import type { ReadRules } from './rule.js';
import { Scope } from './scope.js';
import { SourceNode } from './source-node.js';

/** What the nodes of a whole model share while they are imported. */
export interface ImportContext {
  readonly file: string;
  readonly rules: ReadRules;
  readonly report: Report;
  /** Handles of every tensor of the model. */
  readonly weights: ReadonlyMap<TensorProto, Weight>;
  readonly functions: ReadonlyMap<string, FunctionProto>;
}

/** Operator set versions by domain. The default domain has two spellings. */
export function opsetVersions(imports: ModelProto['opsetImport']): ReadonlyMap<string, number> {
  return new Map((imports ?? []).map(({ domain, version }) => [domain === 'ai.onnx' ? '' : (domain ?? ''), Number(version ?? 0)]));
}

/** Name of a model-local function: domain, name and overload (ONNX IR, "Functions"). */
export function functionKey(domain = '', name = '', overload = ''): string {
  return JSON.stringify([domain === 'ai.onnx' ? '' : domain, name, overload]);
}

/** Type and shape that a file declares for a value; undefined for sequences, maps, optionals and where nothing is declared. */
export function declaredType(info: ValueInfoProto, file: string): { dtype: DType; shape: Shape | undefined } | undefined {
  const type = info.type?.tensorType;
  if (type?.elemType === undefined) return undefined;
  const dtype = dtypeOf(type.elemType);
  if (!dtype) throw onnxDiagnostics.error('tensor-dtype', { message: `${info.name} has the element type ${type.elemType}.`, origin: { file } });
  const shape = type.shape?.dim ?? (type.shape ? [] : undefined);
  return {
    dtype,
    shape: shape?.map((dim, axis): Dim => {
      if (dim.dimValue === undefined) return symbol(dimName(dim.dimParam || `${info.name}_${axis}`));
      const size = Number(dim.dimValue);
      // Some exporters write 0 or -1 for a dimension that is not known.
      if (size < 0) return symbol(dimName(`${info.name}_${axis}`));
      return size;
    }),
  };
}

/** Imports the nodes of one graph into a scope, in the file's order, and gives the values of the graph's outputs. */
export class GraphImporter {
  constructor(
    private readonly context: ImportContext,
    private readonly opsets: ReadonlyMap<string, number>,
    private readonly depth = 0,
  ) {}

  /** Imports a body: a graph of its own that captures what it uses of the graph around it. `parameters` are the types the operator passes. */
  body(proto: GraphProto, outer: Scope, parameters: readonly { dtype: DType; shape: Shape | undefined }[]): Graph {
    const graph = new Graph(proto.name ?? 'body', outer.graph);
    const scope = new Scope(graph, this.context.file, outer);
    (proto.input ?? []).forEach((info, i) => {
      const declared = parameters[i] ?? declaredType(info, this.context.file);
      if (!declared) throw onnxDiagnostics.error('graph', { message: `The type of ${info.name} is not known.`, origin: { file: this.context.file } });
      scope.set(info.name ?? '', graph.input(info.name ?? '', declared.dtype, declared.shape, { name: info.name ?? '' }));
    });
    new GraphImporter(this.context, this.opsets, this.depth + 1).fill(proto, scope);
    for (const info of proto.output ?? []) graph.output(info.name ?? '', scope.value(info.name ?? ''));
    return graph;
  }

  /** Adds initializers and nodes of a graph to a scope that has its inputs. */
  fill(proto: GraphProto, scope: Scope): void {
    for (const tensor of proto.initializer ?? []) this.#initializer(tensor, scope);
    for (const { values } of proto.sparseInitializer ?? []) if (values) this.#initializer(values, scope);
    this.nodes(proto.node ?? [], scope);
  }

  #initializer(tensor: TensorProto, scope: Scope): void {
    const name = tensor.name ?? '';
    scope.set(name, scope.graph.constant(this.context.weights.get(tensor)!, name, { name }));
  }

  /** Imports nodes in order. */
  nodes(nodes: readonly NodeProto[], scope: Scope): void {
    for (const proto of nodes) this.#node(proto, scope);
  }

  #node(proto: NodeProto, scope: Scope): void {
    const { context } = this;
    const called = context.functions.get(functionKey(proto.domain, proto.opType, proto.overload));
    if (called) {
      this.#call(called, proto, scope);
      return;
    }
    const domain = proto.domain === 'ai.onnx' ? '' : (proto.domain ?? '');
    const opset = this.opsets.get(domain) ?? 0;
    const node = new SourceNode(proto, opset, scope, context.file, (attribute) => this.#attributeWeight(attribute), (body, parameters) => this.body(body, scope, parameters));
    const rule = context.rules[node.type]?.find(({ since, until }) => since <= opset && opset <= until);
    let made: readonly (Value | undefined)[];
    try {
      if (!rule) throw node.unsupported(context.rules[node.type] ? `there is no rule for it in version ${opset} of its operator set` : 'there is no rule for this operator');
      const result = rule.toCore(node);
      made = Array.isArray(result) ? (result as readonly (Value | undefined)[]) : [result as Value];
      const unread = node.unread;
      if (unread.length > 0) {
        context.report.add(onnxDiagnostics.diagnostic('attribute-ignored', { message: `${node.type} ${node.name} sets ${unread.join(', ')}, which nothing reads.`, origin: node.origin }));
      }
    } catch (error) {
      if (!(error instanceof DroverError) || error.failure !== 'unsupported') throw error;
      made = this.#foreign(node, error.diagnostics[0]?.message ?? error.message);
    }
    (proto.output ?? []).forEach((name, i) => {
      const value = made[i];
      if (name === '') return;
      if (!value) throw onnxDiagnostics.error('graph', { message: `${node.type} ${node.name} has no output ${i}.`, origin: node.origin });
      // A value that the node made takes the file's name; one that it passes on keeps its own.
      if (value.producer && !value.origin) {
        value.name = name;
        value.origin = { name };
      }
      scope.set(name, value);
    });
  }

  #foreign(node: SourceNode, reason: string): readonly Value[] {
    const { outputs } = node.graph.add(
      ops.Foreign,
      { inputs: node.inputs() },
      { format: 'onnx', type: node.type, reason, attributes: (node.proto.attribute ?? []).map(attributeJson), types: null },
      { ...node.options, resultCount: node.outputCount },
    );
    return outputs;
  }

  /** A call of a function of the model is replaced by the function's nodes, under names of its own. */
  #call(called: FunctionProto, proto: NodeProto, scope: Scope): void {
    const inner = new Scope(scope.graph, this.context.file);
    (called.input ?? []).forEach((name, i) => {
      const argument = proto.input?.[i] ?? '';
      if (argument !== '') inner.set(name, scope.value(argument));
    });
    const prefix = proto.name || proto.output?.[0] || called.name || 'call';
    const opsets = new Map([...this.opsets, ...opsetVersions(called.opsetImport)]);
    new GraphImporter(this.context, opsets, this.depth + 1).nodes(bindFunction(called, proto, prefix, (name) => inner.has(name)), inner);
    (called.output ?? []).forEach((name, i) => {
      const result = proto.output?.[i] ?? '';
      if (result !== '') scope.set(result, inner.value(name));
    });
  }

  #attributeWeight(attribute: AttributeProto): Weight {
    const tensor = attribute.t ?? attribute.sparseTensor?.values;
    const weight = tensor && this.context.weights.get(tensor);
    if (weight) return weight;
    throw onnxDiagnostics.error('graph', { message: `The attribute ${attribute.name} holds no tensor.`, origin: { file: this.context.file } });
  }
}
