import { type Graph, ops, type Node, type Op, type Value } from '@drover/core';

/** Operators that MXNet 1.9.1 multiplies matrices for, which it does in float16 on a GPU alone. */
const products: ReadonlySet<Op> = new Set([
  ops.Conv,
  ops.ConvTranspose,
  ops.MatMul,
  ops.LSTM,
  ops.GRU,
  ops.RNN,
] as unknown as Op[]);

function widen(graph: Graph, node: Node): void {
  const { name, origin } = node;
  const wide = (value: Value | undefined): Value | undefined => {
    if (value?.dtype !== 'float16') return value;
    if (value.constant)
      return graph.constant(value.constant.cast('float32'), value.name, value.origin);
    return graph.add(ops.Cast, { x: value }, { to: 'float32' }, { name: `${name}/float32`, origin })
      .y;
  };
  const operands = Object.fromEntries(
    Object.keys(node.op.inputs).map((key, i) => [key, wide(node.inputs[i])]),
  );
  const made = graph.add(node.op, operands as never, node.attrs, { name, origin });
  Object.values(made).forEach((value, i) => {
    const old = node.outputs[i]!;
    graph.replaceUses(
      old,
      graph.add(
        ops.Cast,
        { x: value as Value },
        { to: 'float16' },
        { name, origin, outputs: [old.name] },
      ).y,
    );
  });
  graph.remove(node);
}

/**
 * Products of float16 are computed in float32, and rounded: MXNet has no kernels for them on a CPU.
 * Bodies are graphs of their own.
 */
export function widenProducts(graph: Graph): void {
  for (const node of graph.sorted()) {
    for (const region of Object.values(node.regions)) widenProducts(region.graph);
    if (products.has(node.op) && node.outputs[0]!.dtype === 'float16') widen(graph, node);
  }
}
