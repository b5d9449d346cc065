import { moduleOf } from './module-scope.js';
import {
  Graph,
  nameOf,
  ops,
  type NodeOrigin,
  type PathStep,
  type Report,
  type Value,
  type Weight,
} from '@drover/core';
import { importNode, resultOf, valueOf } from '@drover/core/format';
import type {
  AttributeProto,
  FunctionProto,
  GraphProto,
  NodeProto,
  SparseTensorProto,
  TensorProto,
  ValueInfoProto,
} from '../schema/onnx.js';
import { onnxDiagnostics } from '../diagnostics.js';
import { foreignJson } from '../vocabulary/foreign-node.js';
import type { ReadTable } from '../vocabulary/rule.js';
import { Scope } from '../vocabulary/scope.js';
import { Collecting, Sequence } from '../vocabulary/sequence.js';
import { nodeNameOf, operatorOf, SourceNode, type Parameter } from '../vocabulary/source-node.js';
import { compareDeclared } from './contradictions.js';
import { declaredType } from './declared-type.js';
import { bindFunction, functionKey, maxCalls } from './function-body.js';
import { inDependencyOrder } from './node-order.js';
import { checkOpset, opsetVersions } from './opsets.js';

/** What the nodes of a whole model share while they are imported. */
export interface ImportContext {
  readonly file: string;
  readonly rules: ReadTable;
  readonly report: Report;
  /** Handles of every tensor of the model. */
  readonly weights: ReadonlyMap<TensorProto | SparseTensorProto, Weight>;
  readonly functions: ReadonlyMap<string, FunctionProto>;
}

const mapOperand = (
  operand: Value | Sequence,
  change: (value: Value) => Value,
): Value | Sequence => (operand instanceof Sequence ? operand.map(change) : change(operand));

/** Imports the nodes of one graph into a scope, each after what it needs. */
export class GraphImporter {
  readonly #declared = new Map<string, ValueInfoProto>();

  constructor(
    private readonly context: ImportContext,
    private readonly opsets: ReadonlyMap<string, number>,
    /** The way from the model's graph to the one whose nodes are imported. */
    private readonly path: readonly PathStep[] = [],
    /** Functions that are being called, outermost first. */
    private readonly calls: readonly string[] = [],
  ) {}

  /**
   * Imports a body: a graph of its own that captures what it uses of the graph around it.
   * `parameters` are what the operator passes. Where the body adds one tensor to a sequence that it
   * collects, that tensor is the output.
   */
  #body(
    { node, op }: NodeOrigin,
    attribute: string,
    proto: GraphProto,
    outer: Scope,
    parameters: readonly Parameter[],
  ): Graph {
    const { file } = this.context;
    const graph = new Graph(proto.name ?? 'body', outer.graph);
    const scope = new Scope(graph, file, outer);
    (proto.input ?? []).forEach((info, i) => {
      const declared = parameters[i] ?? declaredType(info, file);
      if (declared instanceof Collecting) return scope.set(info.name ?? '', declared);
      if (!declared)
        throw onnxDiagnostics.error('graph', {
          message: `The type of ${info.name} is not known.`,
          origin: { file },
        });
      const { name = '' } = info;
      scope.set(name, graph.input(name, declared.dtype, declared.shape, valueOf(file, name)));
    });
    const path = [...this.path, { node, op, body: attribute }];
    new GraphImporter(this.context, this.opsets, path, this.calls).fill(proto, scope);
    for (const { name = '' } of proto.output ?? []) {
      const made = scope.get(name);
      const isOne = made instanceof Collecting && made.elements.length === 1;
      graph.output(name, isOne ? made.elements[0]! : scope.value(name));
    }
    return graph;
  }

  /** Adds initializers and nodes of a graph to a scope that has its inputs. */
  fill(proto: GraphProto, scope: Scope): void {
    for (const tensor of proto.initializer ?? [])
      this.#initializer(tensor.name ?? '', tensor, scope);
    for (const sparse of proto.sparseInitializer ?? [])
      this.#initializer(sparse.values?.name ?? '', sparse, scope);
    this.nodes(proto.node ?? [], [...(proto.valueInfo ?? []), ...(proto.output ?? [])], scope);
    const typed = (name: string) => {
      const own = scope.own(name);
      return own instanceof Sequence || own?.isUntyped ? undefined : own;
    };
    compareDeclared(proto, typed, this.context);
  }

  #initializer(name: string, tensor: TensorProto | SparseTensorProto, scope: Scope): void {
    const { weights, file } = this.context;
    scope.set(name, scope.graph.constant(weights.get(tensor)!, name, valueOf(file, name)));
  }

  /** Imports nodes. `declared` are types that the file states for what they make. */
  nodes(nodes: readonly NodeProto[], declared: readonly ValueInfoProto[], scope: Scope): void {
    for (const info of declared) this.#declared.set(info.name ?? '', info);
    for (const proto of inDependencyOrder(nodes, this.context.file)) this.#node(proto, scope);
  }

  #node(proto: NodeProto, scope: Scope): void {
    const { context } = this;
    const called =
      context.functions.size > 0 &&
      context.functions.get(functionKey(proto.domain, proto.opType, proto.overload));
    if (called) {
      this.#call(called, proto, scope);
      return;
    }
    const domain = proto.domain === 'ai.onnx' ? '' : (proto.domain ?? '');
    const origin = this.#origin(nodeNameOf(proto), operatorOf(proto));
    const source = { ...origin, scope: moduleOf(proto) };
    const node = new SourceNode(proto, this.opsets.get(domain) ?? 0, source, {
      scope,
      weightOf: (attribute) => this.#attributeWeight(attribute),
      importBody: (attribute, body, parameters) =>
        this.#body(source, attribute, body, scope, parameters),
    });
    const results = proto.output ?? [];
    const parts = {
      rule: ruleFor(node, context.rules),
      results: results.map((name) => name || undefined),
      foreign: () => this.#foreign(node),
    };
    const made = importNode<SourceNode, Sequence>(node, parts, context.report);
    results.forEach((name, i) => {
      if (name === '') return;
      const result = made[i];
      if (!result) throw node.malformed(`it has no output ${i}`);
      scope.set(name, result, node.origin);
    });
  }

  #origin(node: string, op: string): NodeOrigin {
    return { file: this.context.file, path: this.path, node, op };
  }

  #foreign({ proto, opset }: SourceNode) {
    const types = (proto.output ?? []).map((name) => {
      const info = this.#declared.get(name);
      return info && declaredType(info, this.context.file);
    });
    return { format: 'onnx', attributes: foreignJson(proto, opset), types };
  }

  /**
   * A call of a function of the model: a body of its own, with the types and attributes of this
   * call, whose nodes are named after the call.
   */
  #call(called: FunctionProto, proto: NodeProto, scope: Scope): void {
    const { file } = this.context;
    const key = functionKey(called.domain, called.name, called.overload);
    const name = [called.domain, called.name].filter(Boolean).join('.');
    const origin = { file, node: proto.name ?? '', op: name };
    if (this.calls.includes(key))
      throw onnxDiagnostics.error('graph', {
        message: `The function ${name} calls itself.`,
        origin,
      });
    if (this.calls.length >= maxCalls)
      throw onnxDiagnostics.error('graph', {
        message: `Functions call one another more than ${maxCalls} deep, at ${name}.`,
        origin,
      });
    const opsets = new Map([...this.opsets, ...opsetVersions(called.opsetImport)]);
    checkOpset(opsets, `The function ${name}`, file);
    const body = new Graph(called.name || 'function', scope.graph);
    const inner = new Scope(body, file);
    const passed = new Map<Value, Value>();
    const pass = (outer: Value): Value => {
      const parameter = body.capture(outer);
      passed.set(parameter, outer);
      return parameter;
    };
    (called.input ?? []).forEach((parameter, i) => {
      const argument = proto.input?.[i] ?? '';
      if (argument !== '') inner.set(parameter, mapOperand(scope.get(argument, origin), pass));
    });
    const source = this.#origin(proto.name || proto.output?.[0] || called.name || 'call', name);
    const path = [...this.path, { node: source.node, op: name, body: undefined }];
    new GraphImporter(this.context, opsets, path, [...this.calls, key]).nodes(
      bindFunction(called, proto, (parameter) => inner.has(parameter)),
      called.valueInfo ?? [],
      inner,
    );
    const results = (called.output ?? []).flatMap((result, i) => {
      const given = proto.output?.[i] ?? '';
      return given === '' ? [] : [{ given, made: inner.get(result, origin) }];
    });
    const made = new Set<Value>();
    for (const each of results)
      mapOperand(each.made, (value) => {
        if (!value.constant && !passed.has(value)) made.add(value);
        return value;
      });
    for (const value of made) body.output(value.name, value);
    const outside = callNode(body, source, scope.graph);
    results.forEach(({ given, made: result }, i) => {
      const value = mapOperand(result, (each) => outside.get(each) ?? passed.get(each) ?? each);
      if (!(value instanceof Sequence) && outside.has(result as Value)) {
        value.name = given;
        value.origin = resultOf(source, i, given);
      }
      scope.set(given, value, origin);
    });
  }

  #attributeWeight(attribute: AttributeProto): Weight {
    const tensor = attribute.t ?? attribute.sparseTensor;
    const weight = tensor && this.context.weights.get(tensor);
    if (weight) return weight;
    throw onnxDiagnostics.error('graph', {
      message: `The attribute ${attribute.name} holds no tensor.`,
      origin: { file: this.context.file },
    });
  }
}

/** The rule for a node in its version of the operator set; the reason where there is none. */
function ruleFor(node: SourceNode, rules: ReadTable) {
  const known = rules.get(node.type);
  const rule = known?.find(({ since, until }) => since <= node.opset && node.opset <= until);
  if (rule) return rule.toCore;
  return known
    ? `version ${node.opset} of its operator set has no such operator`
    : 'the operator is not known';
}

/** The call of a body, and what its results are outside. */
function callNode(body: Graph, source: NodeOrigin, graph: Graph): ReadonlyMap<Value, Value> {
  if (body.outputs.length === 0) return new Map();
  const { captures } = body.region();
  const { outputs } = graph.add(
    ops.Call,
    { operands: captures },
    { function: source.op },
    { name: nameOf(source), origin: source, regions: { body: { graph: body, captures: [] } } },
  );
  return new Map(body.outputs.map(({ value }, i) => [value, outputs[i]!]));
}
