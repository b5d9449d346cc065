import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import type { Attrs, ResolvedAttrs } from '../ops/attr.js';
import type { EvaluateContext, Operands, PerOperand } from '../ops/define-op.js';
import { evaluateDim } from '../tensor/dim.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Graph } from './graph.js';
import { attrsOf, byName, flatten, type Node } from './node.js';
import type { Value } from './value.js';

/** One node's work: the tensors it was given and what it made. */
export interface Step {
  readonly node: Node;
  readonly inputs: readonly (Tensor | undefined)[];
  readonly outputs: readonly Tensor[];
  /** What a correct float implementation of the node may lose here, in units in the last place. */
  readonly ulp: number;
}

/**
 * Sizes of the named dimensions, read off the tensors given for a graph's inputs. Throws
 * `core/invalid-shape` when a tensor does not fit.
 */
export function bindDims(
  graph: Graph,
  inputs: readonly Tensor[],
  known: ReadonlyMap<string, number> = new Map(),
): Map<string, number> {
  const sizes = new Map(known);
  graph.inputs.forEach((input, i) => {
    const given = inputs[i]!;
    const fits =
      given.dtype === input.dtype && (!input.shape || input.shape.length === given.shape.length);
    const mismatch = () =>
      coreDiagnostics.error('invalid-shape', {
        message: `The input ${input} cannot be ${given.dtype}[${given.shape.join(', ')}].`,
        origin: { file: '', node: input.name },
      });
    if (!fits) throw mismatch();
    input.shape?.forEach((dim, axis) => {
      const size = given.shape[axis]!;
      if (typeof dim === 'number') {
        if (dim !== size) throw mismatch();
        return;
      }
      const name = dim.key;
      const isName =
        dim.terms.length === 1 &&
        dim.terms[0]!.factors.length === 1 &&
        dim.terms[0]!.factors[0]!.kind === 'symbol' &&
        dim.terms[0]!.coefficient === 1;
      if (isName && (sizes.get(name) ?? size) !== size) throw mismatch();
      if (isName) sizes.set(name, size);
    });
  });
  return sizes;
}

function resolvedAttrs(node: Node, dims: ReadonlyMap<string, number>): ResolvedAttrs<Attrs> {
  return Object.fromEntries(
    attrsOf(node).map(([name, attr, value]) => [name, attr.resolve(value, dims)]),
  ) as ResolvedAttrs<Attrs>;
}

function allowanceOf(
  node: Node,
  inputs: readonly (Tensor | undefined)[],
  dims: ReadonlyMap<string, number>,
): number {
  const shapes = byName(
    node.op.inputs,
    inputs.map((tensor) => tensor?.shape),
  ) as PerOperand<Operands, readonly number[]>;
  return node.op.ulp(shapes, resolvedAttrs(node, dims));
}

/** Evaluates a node on tensors. `dims` gives the sizes of named dimensions. */
export async function evaluateNode(
  node: Node,
  inputs: readonly (Tensor | undefined)[],
  dims: ReadonlyMap<string, number>,
  captured: ReadonlyMap<Value, Tensor>,
): Promise<Tensor[]> {
  const { op } = node;
  const attrs = resolvedAttrs(node, dims);
  const context: EvaluateContext = {
    resultCount: node.outputs.length,
    results: (name) =>
      node.regions[name]!.graph.outputs.map(({ value: { dtype, shape } }) => ({
        dtype,
        shape: shape?.map((dim) => evaluateDim(dim, dims) ?? dim),
      })),
    run: async (name, parameters) => {
      const { graph, captures } = node.regions[name]!;
      return runToEnd(
        evaluateSteps(
          graph,
          [...parameters, ...captures.map((value) => captured.get(value)!)],
          dims,
        ),
      );
    },
  };
  const outputs = await op.evaluate(
    byName(op.inputs, inputs) as PerOperand<Operands, Tensor>,
    attrs,
    context,
  );
  return flatten<Tensor>(op.outputs, outputs).filter((tensor) => tensor !== undefined);
}

/**
 * Evaluates a graph node by node, in float64 for every float type. Tensors are let go after their
 * last use, so memory holds only those alive. The return value has a tensor for each output, in
 * order.
 */
export async function* evaluateSteps(
  graph: Graph,
  inputs: readonly Tensor[],
  outer: ReadonlyMap<string, number> = new Map(),
): AsyncGenerator<Step, readonly Tensor[]> {
  const dims = bindDims(graph, inputs, outer);
  const order = graph.sorted();
  const alive = new Map<Value, Tensor>(graph.inputs.map((value, i) => [value, inputs[i]!]));
  const uses = new Map<Value, number>();
  const count = (value: Value, by: number) => uses.set(value, (uses.get(value) ?? 0) + by);
  for (const node of order) for (const value of node.dependencies()) count(value, 1);
  for (const { value } of graph.outputs) count(value, 1);
  const get = async (value: Value): Promise<Tensor> => {
    if (!alive.has(value)) alive.set(value, await value.constant!.tensor());
    return alive.get(value)!;
  };
  for (const node of order) {
    const given: (Tensor | undefined)[] = [];
    for (const value of node.inputs) given.push(value && (await get(value)));
    for (const { captures } of Object.values(node.regions))
      for (const value of captures) await get(value);
    const made = await evaluateNode(node, given, dims, alive);
    node.outputs.forEach((value, i) => uses.has(value) && alive.set(value, made[i]!));
    yield { node, inputs: given, outputs: made, ulp: allowanceOf(node, given, dims) };
    for (const value of node.dependencies()) {
      count(value, -1);
      if (uses.get(value) === 0) alive.delete(value);
    }
  }
  const results: Tensor[] = [];
  for (const { value } of graph.outputs) results.push(await get(value));
  return results;
}

/** Evaluates a graph: a tensor for each output, by name and in order. */
export async function evaluate(
  graph: Graph,
  inputs: readonly Tensor[],
  dims: ReadonlyMap<string, number> = new Map(),
): Promise<Map<string, Tensor>> {
  const results = await runToEnd(evaluateSteps(graph, inputs, dims));
  return new Map(graph.outputs.map(({ name }, i) => [name, results[i]!]));
}

async function runToEnd(
  steps: AsyncGenerator<Step, readonly Tensor[]>,
): Promise<readonly Tensor[]> {
  for (;;) {
    const { done, value } = await steps.next();
    if (done) return value;
  }
}
