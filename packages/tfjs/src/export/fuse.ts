import {
  attrOf,
  parseInput,
  type AttrValue,
  type GraphDef,
  type NodeDef,
} from '@drover/graphdef/codec';

/** Operators that TF.js computes together with what follows them, and the operator that does. */
const fusedOps: ReadonlyMap<string, string> = new Map([
  ['Conv2D', '_FusedConv2D'],
  ['DepthwiseConv2dNative', 'FusedDepthwiseConv2dNative'],
  ['MatMul', '_FusedMatMul'],
]);

/** Activations that every backend of TF.js 4.22 applies in a fused kernel. */
const activations: ReadonlySet<string> = new Set(['LeakyRelu', 'Relu', 'Relu6', 'Sigmoid']);

const int = (value: number): AttrValue => ({ kind: 'i', value });

function isFloat(node: NodeDef): boolean {
  const type = attrOf(node, 'T');
  return type?.kind === 'type' && type.value === 'DT_FLOAT';
}

function constantShape(node: NodeDef | undefined) {
  const value = node?.op === 'Const' ? attrOf(node, 'value') : undefined;
  return value?.kind === 'tensor' ? value.value.shape.dims : undefined;
}

/**
 * The graph with each convolution or product, its bias and its activation as one operator of TF.js,
 * as its own converter writes them: one pass over memory in place of three. Nodes that something
 * else reads, those named in `outputs` and those of functions stay.
 */
export function fuse(graph: GraphDef, outputs: ReadonlySet<string>): GraphDef {
  const byName = new Map(graph.nodes.map((node) => [node.name, node]));
  const uses = new Map<string, number>();
  for (const { inputs } of graph.nodes) {
    for (const input of inputs) {
      const { node } = parseInput(input);
      uses.set(node, (uses.get(node) ?? 0) + 1);
    }
  }
  /** The node of an input that nothing else reads. */
  const only = (input: string | undefined): NodeDef | undefined => {
    const node = input === undefined ? undefined : byName.get(input);
    return node && uses.get(node.name) === 1 && !outputs.has(node.name) ? node : undefined;
  };
  /** What a node adds to a product or convolution: a number for each of its columns or channels. */
  const biasOf = (
    node: NodeDef,
  ): { readonly product: NodeDef; readonly bias: string } | undefined => {
    if (node.op === 'BiasAdd') {
      const product = only(node.inputs[0]);
      return product && fusedOps.has(product.op) ? { product, bias: node.inputs[1]! } : undefined;
    }
    if (node.op !== 'AddV2') return undefined;
    for (const [i, j] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const product = only(node.inputs[i]);
      if (product?.op !== 'MatMul') continue;
      const [bias, weight] = [
        constantShape(byName.get(node.inputs[j]!)),
        constantShape(byName.get(product.inputs[1]!)),
      ];
      const flag = attrOf(product, 'transpose_b');
      const columns = weight?.[flag?.kind === 'b' && flag.value ? 0 : 1];
      if (bias?.length === 1 && columns !== undefined && bias[0] === columns)
        return { product, bias: node.inputs[j]! };
    }
    return undefined;
  };
  const gone = new Set<string>();
  const made = new Map<string, NodeDef>();
  // From the last to the first: an activation takes its bias before the bias is looked at alone.
  for (const node of [...graph.nodes].reverse()) {
    if (gone.has(node.name)) continue;
    const before = activations.has(node.op) ? only(node.inputs[0]) : undefined;
    const found = biasOf(before ?? node);
    if (!found || !isFloat(found.product)) continue;
    const { product, bias } = found;
    const isActivated = before !== undefined;
    const alpha = isActivated ? attrOf(node, 'alpha') : undefined;
    const attrs = new Map<string, AttrValue>([
      ...product.attrs,
      [
        'fused_ops',
        { kind: 'list', of: 's', values: isActivated ? ['BiasAdd', node.op] : ['BiasAdd'] },
      ],
      ['num_args', int(1)],
      ...(alpha ? [['leakyrelu_alpha', alpha] as const] : []),
      ...(product.op === 'Conv2D'
        ? [
            ['TArgs', { kind: 'list', of: 'type', values: ['DT_FLOAT'] }] as const,
            ['num_host_args', int(0)] as const,
          ]
        : []),
    ]);
    const sorted = new Map([...attrs].sort(([a], [b]) => (a < b ? -1 : 1)));
    made.set(node.name, {
      ...node,
      op: fusedOps.get(product.op)!,
      inputs: [...product.inputs, bias],
      attrs: sorted,
    });
    gone.add(product.name);
    if (before) gone.add(before.name);
  }
  return {
    ...graph,
    nodes: graph.nodes
      .filter(({ name }) => !gone.has(name))
      .map((node) => made.get(node.name) ?? node),
  };
}
