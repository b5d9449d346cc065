import {
  decodeTensor,
  encodeTensor,
  isFloat,
  sizeOf,
  toNumbers,
  Weight,
  type DType,
  type Graph,
  type Node,
  type Tensor,
  type Value,
} from '@drover/core';
import { Xoshiro128 } from '@drover/parity';

/** What is done to a model to see whether the verdict notices. */
export interface Mutation {
  /** Its sort, as `weight 1 %`: what the share that is caught is counted by. */
  readonly kind: string;
  /** What it changes, for people. */
  readonly where: string;
  /** Changes a graph that was read afresh; false where there is nothing to change. */
  apply(graph: Graph): Promise<boolean>;
}

/** Sizes of a change of a weight, in shares of the largest of its tensor. */
const steps = [0.1, 0.01, 0.001];

/** A constant and the values that stand for it. */
interface Constant {
  readonly values: readonly Value[];
  readonly weight: Weight;
  readonly reader: Node;
}

/** Nodes of a graph and its bodies. */
function nodesOf(graph: Graph): Node[] {
  return [...graph.nodes].flatMap((node) => [
    node,
    ...Object.values(node.regions).flatMap((region) => nodesOf(region.graph)),
  ]);
}

/** Constants of floats, each once. */
function constantsOf(graph: Graph): Constant[] {
  const found = new Map<Weight, { values: Value[]; reader: Node }>();
  for (const node of nodesOf(graph))
    for (const value of node.dependencies()) {
      const { constant } = value;
      if (!constant || !isFloat(constant.dtype) || sizeOf(constant.shape) === 0) continue;
      const known = found.get(constant);
      if (known) known.values.push(value);
      else found.set(constant, { values: [value], reader: node });
    }
  return [...found].map(([weight, { values, reader }]) => ({ weight, values, reader }));
}

/** Puts other elements in the place of a constant, wherever it is used. */
function replace({ values, weight }: Constant, tensor: Tensor): void {
  const changed = Weight.from(tensor, weight.name);
  // A constant does not change in a graph; here it shall.
  for (const value of values) Object.defineProperty(value, 'constant', { value: changed });
}

async function edit(
  graph: Graph,
  index: number,
  change: (data: Float64Array, tensor: Tensor) => boolean,
): Promise<boolean> {
  const constant = constantsOf(graph)[index]!;
  const tensor = await constant.weight.tensor();
  const data = Float64Array.from(toNumbers(tensor));
  if (!change(data, tensor)) return false;
  replace(constant, { ...tensor, data });
  return true;
}

/**
 * Changes of a model, the same for the same seed: single weights moved at `places`, half of them
 * drawn by element and half by tensor; all weights rounded to fewer bits; a row of each table
 * zeroed; slopes, limits, epsilons, pads and axes changed.
 */
export function mutationsOf(graph: Graph, places: number, seed: number): Mutation[] {
  const random = Xoshiro128.seeded(seed);
  return [
    ...weightMoves(graph, places, random),
    ...(['float16', 'bfloat16'] as const).map(roundAll),
    ...zeroedRows(graph, random),
    ...attributeChanges(graph, random),
  ];
}

function weightMoves(graph: Graph, places: number, random: Xoshiro128): Mutation[] {
  const constants = constantsOf(graph);
  const sizes = constants.map(({ weight }) => sizeOf(weight.shape));
  const total = sizes.reduce((a, b) => a + b, 0);
  if (total === 0) return [];
  return Array.from({ length: places }, (_, place) => {
    let index = random.integer(constants.length);
    if (place % 2 === 1) {
      let at = random.integer(total);
      for (index = 0; at >= sizes[index]!; index++) at -= sizes[index]!;
    }
    const element = random.integer(sizes[index]!);
    const sign = random.integer(2) === 1 ? 1 : -1;
    const { values, reader } = constants[index]!;
    return steps.map((step) => ({
      kind: `weight ${step * 100} %`,
      where: `${values[0]!.name}[${element}] of ${reader.op.name}`,
      apply: (fresh: Graph) =>
        edit(fresh, index, (data) => {
          const largest = data.reduce(
            (most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most),
            0,
          );
          if (largest === 0 || !Number.isFinite(data[element])) return false;
          data[element]! += sign * step * largest;
          return true;
        }),
    }));
  }).flat();
}

const roundAll = (dtype: DType): Mutation => ({
  kind: `all through ${dtype}`,
  where: '',
  apply: async (graph) => {
    for (const constant of constantsOf(graph)) {
      const tensor = await constant.weight.tensor();
      if (tensor.dtype !== 'float32') continue;
      const { data } = decodeTensor(encodeTensor({ ...tensor, dtype }), dtype, tensor.shape);
      replace(constant, { ...tensor, data });
    }
    return true;
  },
});

function zeroedRows(graph: Graph, random: Xoshiro128): Mutation[] {
  return constantsOf(graph).flatMap(({ reader, weight, values }, index) => {
    const { axis } = reader.attrs as { readonly axis?: number };
    if (reader.op.name !== 'Gather' || axis !== 0 || reader.inputs[0] !== values[0]) return [];
    const [rows] = weight.shape;
    const width = sizeOf(weight.shape.slice(1));
    if (!rows || width < 2) return [];
    const row = random.integer(rows);
    return [
      {
        kind: 'row of a table zero',
        where: `${values[0]!.name}[${row}]`,
        apply: (fresh: Graph) =>
          edit(fresh, index, (data) => {
            data.fill(0, row * width, (row + 1) * width);
            return true;
          }),
      },
    ];
  });
}

/** Names of attributes that are a factor or a limit. */
const factors = new Set(['alpha', 'beta', 'gamma', 'slope', 'bias', 'low', 'high', 'min', 'max']);

/** Operators for which another axis is another function of the same shape. */
const alongAxis = new Set(['Softmax', 'LogSoftmax', 'CumSum', 'Hardmax']);

/** Changes of one node of each operator. */
function attributeChanges(graph: Graph, random: Xoshiro128): Mutation[] {
  const nodes = nodesOf(graph);
  return [...byOperator(nodes).values()].flatMap((indices) => {
    const index = indices[random.integer(indices.length)]!;
    const node = nodes[index]!;
    return Object.entries(node.attrs as Record<string, unknown>).flatMap(([name, value]) =>
      changesOf(node, name, value).map(({ kind, to }) => ({
        kind,
        where: `${name} of ${node.op.name} ${node.name}`,
        apply: async (fresh: Graph) => {
          const target = nodesOf(fresh)[index]!;
          target.attrs = { ...target.attrs, [name]: to };
          return true;
        },
      })),
    );
  });
}

/** Places of nodes by their operator. */
function byOperator(nodes: readonly Node[]): Map<string, number[]> {
  const found = new Map<string, number[]>();
  nodes.forEach(({ op }, i) => found.set(op.name, [...(found.get(op.name) ?? []), i]));
  return found;
}

function changesOf(node: Node, name: string, value: unknown): { kind: string; to: unknown }[] {
  if (typeof value === 'number') {
    if (name === 'epsilon')
      return [3, 10].map((by) => ({ kind: `epsilon × ${by}`, to: value * by }));
    if (factors.has(name) && value !== 0 && Number.isFinite(value))
      return [{ kind: 'attribute 1 %', to: value * 1.01 }];
    if (name === 'axis' && alongAxis.has(node.op.name) && (node.outputs[0]!.rank ?? 0) > 1)
      return [{ kind: 'axis', to: value === 0 ? 1 : value - 1 }];
  }
  if (name === 'pads' && Array.isArray(value) && value.some((pad) => pad > 0)) {
    const pads = [...(value as number[])];
    const at = pads.findIndex((pad) => pad > 0);
    pads[at]!--;
    pads[(at + pads.length / 2) % pads.length]!++;
    return [{ kind: 'pads', to: pads }];
  }
  return [];
}
