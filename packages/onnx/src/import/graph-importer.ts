import {
  coreDiagnostics,
  dimName,
  DroverError,
  foreignTypes,
  Graph,
  ops,
  symbol,
  type Dim,
  type DType,
  type NodeOptions,
  type Report,
  type Shape,
  type Value,
  type Weight,
} from '@drover/core';
import {
  dtypeOf,
  type AttributeProto,
  type FunctionProto,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type SparseTensorProto,
  type TensorProto,
  type ValueInfoProto,
} from '../codec/index.js';
import { onnxDiagnostics } from '../diagnostics.js';
import { compareDeclared } from './contradictions.js';
import { foreignJson } from './foreign-node.js';
import { bindFunction, functionKey, maxCalls } from './function-body.js';
import { inDependencyOrder } from './node-order.js';
import type { Made, ReadRules } from './rule.js';
import { Scope } from './scope.js';
import { Collecting, Sequence } from './sequence.js';
import { SourceNode, type Parameter } from './source-node.js';

/** What the nodes of a whole model share while they are imported. */
export interface ImportContext {
  readonly file: string;
  readonly rules: ReadRules;
  readonly report: Report;
  /** Handles of every tensor of the model. */
  readonly weights: ReadonlyMap<TensorProto | SparseTensorProto, Weight>;
  readonly functions: ReadonlyMap<string, FunctionProto>;
  /** Values that are foreign results of unknown type, or come of some. */
  readonly untyped: Set<Value>;
}

/**
 * Oldest and newest versions of the default operator set that can be read: the newest is the newest
 * whose operators were compared with the rules.
 */
export const [oldestOpset, newestOpset] = [7, 28];

/** Throws `onnx/opset` unless the default operator set is of a version that can be read. */
export function checkOpset(opsets: ReadonlyMap<string, number>, user: string, file: string): void {
  const opset = opsets.get('');
  if (opset !== undefined && opset >= oldestOpset && opset <= newestOpset) return;
  const what =
    opset === undefined
      ? `${user} does not say which operator set it uses`
      : `${user} uses operator set ${opset}`;
  throw onnxDiagnostics.error('opset', {
    message: `${what}; versions ${oldestOpset} to ${newestOpset} can be read.`,
    origin: { file },
  });
}

/** Operator set versions by domain. The default domain has two spellings. */
export function opsetVersions(imports: ModelProto['opsetImport']): ReadonlyMap<string, number> {
  return new Map(
    (imports ?? []).map(({ domain, version }) => [
      domain === 'ai.onnx' ? '' : (domain ?? ''),
      Number(version ?? 0),
    ]),
  );
}

/**
 * Type and shape that a file declares for a value; undefined for sequences, maps, optionals and
 * where nothing is declared.
 */
export function declaredType(
  info: ValueInfoProto,
  file: string,
): { dtype: DType; shape: Shape | undefined } | undefined {
  const type = info.type?.tensorType;
  if (type?.elemType === undefined) return undefined;
  const dtype = dtypeOf(type.elemType);
  if (!dtype)
    throw onnxDiagnostics.error('tensor-dtype', {
      message: `${info.name} has the element type ${type.elemType}.`,
      origin: { file },
    });
  const shape = type.shape?.dim ?? (type.shape ? [] : undefined);
  return {
    dtype,
    shape: shape?.map((dim, axis): Dim => {
      if (dim.dimValue === undefined)
        return symbol(dimName(dim.dimParam || `${info.name}_${axis}`));
      const size = Number(dim.dimValue);
      // Some exporters write 0 or -1 for a dimension that is not known.
      if (size < 0) return symbol(dimName(`${info.name}_${axis}`));
      return size;
    }),
  };
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
    /** Functions that are being called, outermost first. */
    private readonly calls: readonly string[] = [],
  ) {}

  /**
   * Imports a body: a graph of its own that captures what it uses of the graph around it.
   * `parameters` are what the operator passes. Where the body adds one tensor to a sequence that it
   * collects, that tensor is the output.
   */
  body(proto: GraphProto, outer: Scope, parameters: readonly Parameter[]): Graph {
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
      scope.set(
        info.name ?? '',
        graph.input(info.name ?? '', declared.dtype, declared.shape, { name: info.name ?? '' }),
      );
    });
    new GraphImporter(this.context, this.opsets, this.calls).fill(proto, scope);
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
    compareDeclared(proto, (name) => this.#typed(scope.own(name)), this.context);
  }

  #initializer(name: string, tensor: TensorProto | SparseTensorProto, scope: Scope): void {
    scope.set(name, scope.graph.constant(this.context.weights.get(tensor)!, name, { name }));
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
    const opset = this.opsets.get(domain) ?? 0;
    const node = new SourceNode(
      proto,
      opset,
      scope,
      context.file,
      (attribute) => this.#attributeWeight(attribute),
      (body, parameters) => this.body(body, scope, parameters),
    );
    const made = this.#made(node);
    const given = proto.input ?? [];
    const isUntyped =
      context.untyped.size > 0 &&
      given.some((name) => name !== '' && this.#isUntyped(scope.get(name)));
    (proto.output ?? []).forEach((name, i) => {
      if (name === '') return;
      const result = made[i];
      if (!result)
        throw onnxDiagnostics.error('graph', {
          message: `${node.type} ${node.name} has no output ${i}.`,
          origin: node.origin,
        });
      // A value that the node made takes the file's name; one that it passes on keeps its own.
      if (!(result instanceof Sequence) && result.producer && !result.origin) {
        result.name = name;
        result.origin = { name };
        if (isUntyped) context.untyped.add(result);
      }
      scope.set(name, result, node.origin);
    });
  }

  #typed(value: Value | Sequence | undefined): Value | undefined {
    return !value || value instanceof Sequence || this.context.untyped.has(value)
      ? undefined
      : value;
  }

  #isUntyped(operand: Value | Sequence): boolean {
    return operand instanceof Sequence
      ? operand.values.some((each) => this.context.untyped.has(each))
      : this.context.untyped.has(operand);
  }

  /** What a node makes: by its rule, or as a foreign operator with the reason. */
  #made(node: SourceNode): readonly Made[] {
    const { rules, report, untyped, file } = this.context;
    try {
      const rule = rules[node.type]?.find(
        ({ since, until }) => since <= node.opset && node.opset <= until,
      );
      if (!rule)
        throw node.unsupported(
          rules[node.type]
            ? `version ${node.opset} of its operator set has no such operator`
            : 'the operator is not known',
        );
      const result = rule.toCore(node);
      const { unread } = node;
      if (unread.length > 0) {
        const message = `${node.type} ${node.name} sets ${unread.join(', ')}, which ${unread.length === 1 ? 'has' : 'have'} no meaning for it in operator set ${node.opset}.`;
        report.add(
          coreDiagnostics.diagnostic('attribute-ignored', { message, origin: node.origin }),
        );
      }
      return Array.isArray(result) ? (result as readonly Made[]) : [result as Made];
    } catch (error) {
      if (!(error instanceof DroverError)) throw error;
      const [first] = error.diagnostics;
      if (error.failure === 'unsupported')
        return this.#foreign(node, first?.message ?? error.message);
      // What comes of a foreign operator has no known type: that it does not fit says nothing about
      // the model.
      if (node.given().some((each) => untyped.has(each)))
        return this.#foreign(node, 'the types of its operands are not known');
      if (first?.origin.file !== '') throw error;
      throw new DroverError(
        error.failure,
        error.diagnostics.map((each) => ({
          ...each,
          origin: { ...each.origin, ...node.origin, file },
        })),
      );
    }
  }

  #foreign(node: SourceNode, reason: string): readonly Value[] {
    const declared = (node.proto.output ?? []).map((name) => {
      const info = this.#declared.get(name);
      return info && declaredType(info, this.context.file);
    });
    const types = declared.every((type) => type !== undefined) ? foreignTypes(declared) : null;
    const attrs = {
      format: 'onnx',
      type: node.type,
      reason,
      attributes: foreignJson(node.proto, node.opset),
      types,
    };
    const { outputs } = node.graph.add(ops.Foreign, { inputs: node.given() }, attrs, {
      ...node.options,
      resultCount: node.outputCount,
    });
    if (!types) for (const value of outputs) this.context.untyped.add(value);
    return outputs;
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
      if (this.context.untyped.has(outer)) this.context.untyped.add(parameter);
      return parameter;
    };
    (called.input ?? []).forEach((parameter, i) => {
      const argument = proto.input?.[i] ?? '';
      if (argument !== '') inner.set(parameter, mapOperand(scope.get(argument, origin), pass));
    });
    const prefix = proto.name || proto.output?.[0] || called.name || 'call';
    new GraphImporter(this.context, opsets, [...this.calls, key]).nodes(
      bindFunction(called, proto, prefix, (parameter) => inner.has(parameter)),
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
    const outside = this.#callNode(
      body,
      name,
      { name: prefix, origin: { node: prefix, op: name } },
      scope.graph,
    );
    for (const { given, made: result } of results) {
      const value = mapOperand(result, (each) => outside.get(each) ?? passed.get(each) ?? each);
      if (!(value instanceof Sequence) && outside.has(result as Value)) {
        value.name = given;
        value.origin = { name: given };
      }
      scope.set(given, value, origin);
    }
  }

  /** The call of a body, and what its results are outside. */
  #callNode(
    body: Graph,
    name: string,
    options: NodeOptions,
    graph: Graph,
  ): ReadonlyMap<Value, Value> {
    if (body.outputs.length === 0) return new Map();
    const { captures } = body.region();
    const regions = { body: { graph: body, captures: [] } };
    const { outputs } = graph.add(
      ops.Call,
      { operands: captures },
      { function: name },
      { ...options, regions },
    );
    return new Map(
      body.outputs.map(({ value }, i) => {
        if (this.context.untyped.has(value)) this.context.untyped.add(outputs[i]!);
        return [value, outputs[i]!];
      }),
    );
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
