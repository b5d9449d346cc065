import type { Graph, Json, Report, Value, ValueType, Weight } from '@drover/core';
import { complexTypes, importNode, valueOf } from '@drover/core/format';
import { dtypeOf } from '../codec/data-type.js';
import type { AttrValue, FunctionDef, NodeDef, OpDef } from '../codec/graph-def.js';
import {
  argSize,
  attrOf,
  outputCount,
  outputPosition,
  outputTypes,
  parseInput,
} from '../codec/operator.js';
import { graphdefDiagnostics } from '../diagnostics.js';
import { readCall } from '../ops/control.js';
import type { ReadTable, ToCore } from '../vocabulary/rule.js';
import { Scope } from '../vocabulary/scope.js';
import { SourceNode, type FunctionCall } from '../vocabulary/source-node.js';

/** What the nodes of a whole model share while they are imported. */
export interface ImportContext {
  readonly file: string;
  readonly rules: ReadTable;
  readonly report: Report;
  /**
   * Elements of a Const node as a handle, in the type that the file stores; undefined when it
   * stores none.
   */
  readonly weightOf: (node: NodeDef) => Weight | undefined;
  readonly functions: ReadonlyMap<string, FunctionDef>;
}

/** Deepest nesting of function calls; a function that calls itself has no end. */
const maxCallDepth = 64;

const byName = (nodes: readonly NodeDef[]) => new Map(nodes.map((node) => [node.name, node]));

/**
 * Imports the nodes that some tensors need. Control dependencies order side effects, of which
 * inference has none.
 */
export class GraphImporter {
  readonly #signatures: ReadonlyMap<string, OpDef>;

  constructor(private readonly context: ImportContext) {
    this.#signatures = new Map(
      [...context.functions].map(([name, { signature }]) => [name, signature]),
    );
  }

  /** A scope for the nodes of a graph. */
  scope(graph: Graph, nodes: readonly NodeDef[]): Scope {
    return new Scope(graph, this.context.file, byName(nodes), this.#signatures);
  }

  /**
   * Imports into a scope what the wanted tensors (`name`, `name:1`) rest on, and gives their
   * values.
   */
  import(
    nodes: readonly NodeDef[],
    scope: Scope,
    wanted: readonly string[],
    depth = 0,
  ): readonly Value[] {
    for (const node of this.#ordered(nodes, scope, wanted)) this.#node(node, scope, nodes, depth);
    return wanted.map((reference) => scope.value(reference));
  }

  /**
   * Nodes that the wanted tensors rest on, each after those it needs; among them the order of the
   * file. Throws `graphdef/graph` for a cycle.
   */
  #ordered(nodes: readonly NodeDef[], scope: Scope, wanted: readonly string[]): readonly NodeDef[] {
    const known = byName(nodes);
    const needs = (node: NodeDef) =>
      node.inputs.flatMap((input) =>
        input.startsWith('^') ? [] : (known.get(parseInput(input, scope.file).node) ?? []),
      );
    const order: NodeDef[] = [];
    const state = new Map<NodeDef, 'open' | 'done'>();
    for (const root of wanted.map((reference) =>
      known.get(parseInput(reference, scope.file).node),
    )) {
      const stack = root && !scope.has(root.name) ? [root] : [];
      while (stack.length > 0) {
        const node = stack.at(-1)!;
        if (state.get(node) === 'done') {
          stack.pop();
          continue;
        }
        const waiting = needs(node).filter(
          (each) => state.get(each) !== 'done' && !scope.has(each.name),
        );
        if (waiting.length === 0) {
          state.set(node, 'done');
          order.push(node);
          stack.pop();
        } else {
          if (state.get(node) === 'open')
            throw graphdefDiagnostics.error('graph', {
              message: `${node.name} depends on itself.`,
              origin: { file: scope.file, node: node.name, op: node.op },
            });
          state.set(node, 'open');
          stack.push(...waiting.reverse());
        }
      }
    }
    return order;
  }

  #node(def: NodeDef, scope: Scope, nodes: readonly NodeDef[], depth: number): void {
    const { context } = this;
    const node = new SourceNode(
      def,
      scope,
      outputCount(def, this.#signatures, scope.file) ?? usedOutputs(def, nodes, scope.file),
      (caller, call) => this.#call(caller, call, depth + 1),
    );
    if (def.op === 'Const') {
      scope.set(def.name, [this.#constant(node)]);
      return;
    }
    const rule: ToCore | undefined = context.functions.has(def.op)
      ? () => readCall(node, { name: def.op, attrs: def.attrs })
      : context.rules.get(def.op);
    const count = Math.max(node.outputCount, 1);
    const parts = {
      rule: rule ?? 'there is no rule for this operator',
      results: Array.from({ length: count }, (_, i) => (i === 0 ? node.name : `${node.name}:${i}`)),
      excuse: touchesComplex(node, scope.file) ? 'it computes with complex numbers' : undefined,
      foreign: () => this.#foreign(node, count),
    };
    scope.set(def.name, importNode(node, parts, context.report) as readonly (Value | undefined)[]);
  }

  /**
   * A constant in the type that the graph gives it, which is not always the type that it is stored
   * in.
   */
  #constant(node: SourceNode): Value {
    const weight = this.context.weightOf(node.def);
    if (!weight)
      throw graphdefDiagnostics.error('graph', {
        message: `The constant ${node.name} has no elements.`,
        origin: node.origin,
      });
    const declared = attrOf(node.def, 'dtype');
    const dtype = declared?.kind === 'type' ? dtypeOf(declared.value) : undefined;
    return node.graph.constant(
      dtype && dtype !== 'string' ? weight.cast(dtype) : weight,
      node.name,
      valueOf(this.context.file, node.name),
    );
  }

  #foreign(node: SourceNode, count: number) {
    const attributes = [...node.def.attrs]
      .filter(([name]) => !name.startsWith('_'))
      .map(([name, value]): Json => ({ name, value: attributeText(value) }));
    const stated = outputTypes(node.def, this.context.file);
    const types = Array.from({ length: count }, (_, i): ValueType | undefined => {
      const dtype = stated[i];
      return dtype && { dtype, shape: undefined };
    });
    return { format: 'tensorflow', attributes, types };
  }

  /**
   * The nodes of a function in the place of its call, under names of the call. Throws
   * `graphdef/graph` for unknown functions and endless recursion.
   */
  #call(
    caller: SourceNode,
    { called, args, graph, body: role }: FunctionCall,
    depth: number,
  ): readonly Value[] {
    const { file, functions } = this.context;
    const body = functions.get(called.name);
    const error = (message: string) =>
      graphdefDiagnostics.error('graph', { message, origin: { file, node: called.name } });
    if (!body) throw error(`There is no function ${called.name}.`);
    if (depth > maxCallDepth)
      throw error(`Calls of ${called.name} nest deeper than ${maxCallDepth}.`);
    const scope = new Scope(
      graph,
      file,
      byName(body.nodes),
      this.#signatures,
      [...caller.source.path, { node: caller.source.node, op: called.name, body: role }],
      new Map([...body.attrs, ...called.attrs]),
    );
    let next = 0;
    for (const arg of body.signature.inputs) {
      const size = argSize(
        {
          name: called.name,
          op: called.name,
          inputs: [],
          device: '',
          attrs: called.attrs,
          extra: new Map(),
        },
        arg,
        file,
      );
      scope.set(arg.name, args.slice(next, next + size));
      next += size;
    }
    if (next !== args.length)
      throw error(`${called.name} takes ${next} arguments, not ${args.length}.`);
    const wanted = body.signature.outputs.map(({ name }) => {
      const reference = body.ret.get(name);
      if (reference === undefined)
        throw error(`${called.name} does not say what its result ${name} is.`);
      return reference;
    });
    return this.import(body.nodes, scope, wanted, depth);
  }
}

/** Whether a node takes or makes complex numbers, with which core only moves elements about. */
function touchesComplex(node: SourceNode, file: string): boolean {
  const types = [...node.inputs().map(({ dtype }) => dtype), ...outputTypes(node.def, file)];
  return types.some((dtype) => complexTypes.some((complex) => complex === dtype));
}

/** Outputs that somebody uses of a node whose operator is not registered. */
function usedOutputs(def: NodeDef, nodes: readonly NodeDef[], file: string): number {
  const uses = nodes.flatMap(({ inputs }) =>
    inputs.flatMap((input) => (input.startsWith('^') ? [] : [parseInput(input, file)])),
  );
  return uses
    .filter(({ node }) => node === def.name)
    .reduce((most, ref) => Math.max(most, outputPosition(def, ref) + 1), 1);
}

/** An attribute of a foreign node as text for people. */
function attributeText(value: AttrValue): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'bigint'
      ? String(each)
      : each instanceof Map
        ? Object.fromEntries(each)
        : each instanceof Uint8Array
          ? `${each.length} bytes`
          : each,
  );
}
