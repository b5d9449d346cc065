import { isFloat, sizeOf, type Graph, type Node, type Value, type Weight } from '@drover/core';
import type { Form, Kind, Layer, LayerName, Loose, Role } from './layer.js';
import { biased, constantAt, zeros, type Operand } from './operand.js';
import { parseTensorName } from './tensor-name.js';
import { same, vector, type WeightLayout } from './weight-layout.js';

/** A layer of a graph, with the operator that it is. */
export interface GraphLayer extends Layer<Operand> {
  readonly graph: Graph;
  readonly node: Node;
}

/** The layers of a graph and its other constants, in the order of computation. */
export interface GraphLayers {
  readonly layers: readonly GraphLayer[];
  readonly loose: readonly Loose<Operand>[];
}

/** A part of a layer where it is kept: one row of the operand, or the whole. */
interface Kept {
  readonly operand: Operand;
  readonly row: readonly [index: number, count: number];
  readonly part: Weight;
  readonly layout: WeightLayout;
}

type KeptParts = ReadonlyMap<Role, Kept>;

/** An operator that is a layer: what its operands are there. */
interface LayerOperator {
  readonly kind: Kind;
  readonly roles: Readonly<Record<string, Role>>;
}

/** What the operands of operators are in their layers. */
const simple = new Map<string, LayerOperator>(
  Object.entries<LayerOperator>({
    Conv: { kind: 'convolution', roles: { w: 'weight', bias: 'bias' } },
    ConvTranspose: { kind: 'transposed convolution', roles: { w: 'weight', bias: 'bias' } },
    PRelu: { kind: 'slopes', roles: { slope: 'weight' } },
    BatchNormalization: {
      kind: 'normalization',
      roles: { scale: 'scale', bias: 'bias', mean: 'mean', variance: 'variance' },
    },
    GroupNormalization: { kind: 'normalization', roles: { scale: 'scale', bias: 'bias' } },
    InstanceNormalization: { kind: 'normalization', roles: { scale: 'scale', bias: 'bias' } },
    LayerNormalization: { kind: 'normalization', roles: { scale: 'scale', bias: 'bias' } },
    RMSNormalization: { kind: 'normalization', roles: { scale: 'scale' } },
  }),
);

/** Names of recurrent operators. */
const recurrences: ReadonlyMap<string, Kind> = new Map([
  ['LSTM', 'LSTM'],
  ['GRU', 'GRU'],
  ['RNN', 'RNN'],
]);

/**
 * The layers of a graph, those of bodies included: operators with constants that are stored in the
 * model. A recurrence in both directions is two layers. A linear layer is a product with a matrix
 * and what is added to it.
 */
export function graphLayers(graph: Graph): GraphLayers {
  const found: {
    readonly graph: Graph;
    readonly node: Node;
    readonly kind: Kind;
    readonly parts: KeptParts;
    readonly isReverse?: boolean;
    readonly also?: Node;
  }[] = [];
  const taken = new Set<string>();
  const visited: (readonly [Graph, Node])[] = [];
  const visit = (each: Graph): void => {
    for (const node of each.sorted()) {
      visited.push([each, node]);
      for (const { graph: body } of Object.values(node.regions)) visit(body);
    }
  };
  visit(graph);
  const numbers = new Map(visited.map(([, node], i) => [node, i]));
  const key = ({ node, index }: Operand) => `${numbers.get(node)} ${index}`;
  for (const [around, node] of visited) {
    for (const layer of layersOf(around, node)) {
      if (layer.parts.size === 0) continue;
      found.push({ graph: around, node, ...layer });
      for (const { operand } of layer.parts.values()) taken.add(key(operand));
    }
  }
  const uses = new Map<Weight, number>();
  for (const { parts } of found)
    for (const leaf of new Set([...parts.values()].flatMap(({ part }) => part.origins)))
      uses.set(leaf, (uses.get(leaf) ?? 0) + 1);
  const layers = found.map(({ graph: around, node, kind, parts, isReverse, also }): GraphLayer => {
    const leaves = [...new Set([...parts.values()].flatMap(({ part }) => part.origins))];
    return {
      graph: around,
      node,
      title: isReverse ? `${node.origin.node}, reverse` : node.origin.node,
      names: [
        ...leaves.flatMap((leaf) => nameOfTensor(leaf.name!, uses.get(leaf) === 1 ? 3 : 1)),
        ...[node, also].flatMap((each) => (each ? namesOf(each) : [])),
      ],
      isReverse,
      forms: [formOf(kind, parts)],
      tensors: leaves.map(({ name }) => name!),
    };
  });
  const loose = visited.flatMap(([around, node]) =>
    node.inputs.flatMap((value, index): Loose<Operand>[] => {
      const place = { graph: around, node, index };
      return isStored(value) && sizeOf(value.constant.shape) > 1 && !taken.has(key(place))
        ? [{ place, name: value.constant.origins[0]!.name!, weight: value.constant }]
        : [];
    }),
  );
  return { layers, loose };
}

/** A layer without a bias, with a place for one. */
export function withBias(layer: GraphLayer): GraphLayer | undefined {
  const { node, graph } = layer;
  const known = biased.get(node.op.name);
  const [form] = layer.forms;
  if (!known || form.parts.has('bias')) return undefined;
  const place = { graph, node, index: known.operand };
  const grown: Form<Operand> = {
    ...form,
    parts: new Map([...form.parts, ['bias', zeros(node)]]),
    held: (role, part) =>
      role === 'bias' ? { place, weight: part, row: [0, 1] } : form.held(role, part),
  };
  return { ...layer, forms: [grown] };
}

/** Whether a value is floats that the model stores. */
function isStored(value: Value | undefined): value is Value & { readonly constant: Weight } {
  return value?.constant !== undefined && value.constant.origins.length > 0 && isFloat(value.dtype);
}

function nameOfTensor(name: string, trust: number): readonly LayerName[] {
  const path = parseTensorName(name)?.path ?? name.split(/[./]/);
  return path.length > 0 ? [{ path, trust }] : [];
}

function namesOf({ origin: { node, scope } }: Node): readonly LayerName[] {
  return [
    ...(scope === undefined ? [] : [{ path: scope.split('.'), trust: 2 }]),
    ...namesOfNode(node),
  ];
}

/**
 * What may be the layer's name in that of a node, `/encoder/query/MatMul`: at its end stand
 * operators and scopes of what they were made of.
 */
function namesOfNode(name: string): readonly LayerName[] {
  const parts = name.split(/[/.]/).filter((part) => part !== '');
  return parts.map((_, dropped) => ({
    path: parts.slice(0, parts.length - dropped),
    trust: 2 - dropped / 100,
  }));
}

function formOf(kind: Kind, kept: KeptParts): Form<Operand> {
  return {
    kind,
    convention: 'core',
    parts: new Map([...kept].map(([role, { part }]) => [role, part])),
    held: (role, part) => {
      const own = kept.get(role);
      return own && { place: own.operand, row: own.row, weight: own.layout.from(part, own.part) };
    },
  };
}

interface NodeLayer {
  readonly kind: Kind;
  readonly parts: KeptParts;
  readonly isReverse?: boolean;
  /** A further node that belongs to it. */
  readonly also?: Node;
}

function layersOf(graph: Graph, node: Node): readonly NodeLayer[] {
  const names = Object.keys(node.op.inputs);
  const known = simple.get(node.op.name);
  if (known) {
    // What scales and shifts a normalisation's result is the layer: MXNet's GroupNorm does not.
    const [user, ...more] = node.outputs[0]!.users;
    const isScaled = known.kind === 'normalization' && user?.op.name === 'Mul' && more.length === 0;
    if (isScaled && affineLayer(graph, user).length > 0) return [];
    const parts = new Map<Role, Kept>();
    for (const [name, role] of Object.entries(known.roles)) {
      const index = names.indexOf(name);
      const value = node.inputs[index];
      if (isStored(value))
        parts.set(
          role,
          keptWhole(
            { graph, node, index },
            role === 'weight' && known.kind !== 'slopes' ? same : vector,
          ),
        );
    }
    return [{ kind: known.kind, parts }];
  }
  const recurrence = recurrences.get(node.op.name);
  if (recurrence) return recurrentLayers(graph, node, recurrence);
  if (node.op.name === 'MatMul') return linearLayer(graph, node);
  if (node.op.name === 'Mul') return affineLayer(graph, node);
  if (node.op.name === 'Gather') {
    const [table] = node.inputs;
    return isStored(table) && table.rank === 2 && (node.attrs as { axis: number }).axis === 0
      ? [
          {
            kind: 'embedding',
            parts: new Map([['weight', keptWhole({ graph, node, index: 0 }, same)]]),
          },
        ]
      : [];
  }
  return [];
}

function keptWhole(operand: Operand, layout: WeightLayout): Kept {
  const weight = constantAt(operand);
  return {
    operand,
    row: [0, 1],
    part: layout.to(weight),
    layout: { to: layout.to, from: (part) => layout.from(part, weight) },
  };
}

/** A product with a stored matrix, and the vector that is added to its result. */
function linearLayer(graph: Graph, node: Node): readonly NodeLayer[] {
  const matrix = node.inputs[1];
  if (!isStored(matrix) || matrix.rank !== 2) return [];
  const parts = new Map<Role, Kept>([['weight', keptWhole({ graph, node, index: 1 }, same)]]);
  const size = matrix.constant.shape[1]!;
  let value = node.outputs[0]!;
  for (;;) {
    const [user, ...more] = value.users;
    if (!user || more.length > 0) return [{ kind: 'linear', parts }];
    if (user.op.name === 'Reshape' && user.outputs[0]!.shape?.at(-1) === size) {
      value = user.outputs[0]!;
      continue;
    }
    const index = user.inputs.findIndex((each) => each !== value);
    const added = user.inputs[index];
    if (user.op.name !== 'Add' || !isStored(added) || !isRow(added.constant, size))
      return [{ kind: 'linear', parts }];
    parts.set('bias', keptWhole({ graph, node: user, index }, vector));
    return [{ kind: 'linear', parts, also: user }];
  }
}

/** A product with a stored vector and the vector that is added to it: a normalisation's end. */
function affineLayer(graph: Graph, node: Node): readonly NodeLayer[] {
  const [user, ...more] = node.outputs[0]!.users;
  if (user?.op.name !== 'Add' || more.length > 0) return [];
  const scaleAt = node.inputs.findIndex(isStored);
  const biasAt = user.inputs.findIndex((each) => each !== node.outputs[0]);
  const [scale, bias] = [node.inputs[scaleAt], user.inputs[biasAt]];
  if (!isStored(scale) || !isStored(bias)) return [];
  const sizes = [scale, bias].map(({ constant }) => sizeOf(constant.shape));
  if (sizes[0] !== sizes[1] || sizes[0]! < 2 || !isVector(scale) || !isVector(bias)) return [];
  const parts = new Map<Role, Kept>([
    ['scale', keptWhole({ graph, node, index: scaleAt }, vector)],
    ['bias', keptWhole({ graph, node: user, index: biasAt }, vector)],
  ]);
  return [{ kind: 'normalization', parts, also: user }];
}

const isVector = ({ constant }: Value) => constant!.shape.filter((size) => size !== 1).length === 1;

const isRow = ({ shape }: Weight, size: number) => shape.at(-1) === size && sizeOf(shape) === size;

/** One direction of a recurrence per layer. */
function recurrentLayers(graph: Graph, node: Node, kind: Kind): readonly NodeLayer[] {
  const names = Object.keys(node.op.inputs);
  const operands = new Map(names.map((name, index) => [name, { graph, node, index }]));
  const { direction } = node.attrs as { direction: string };
  const count = direction === 'bidirectional' ? 2 : 1;
  return Array.from({ length: count }, (_, d): NodeLayer => {
    const parts = new Map<Role, Kept>();
    const keep = (
      role: Role,
      name: string,
      index: number,
      rows: number,
      shape: (whole: readonly number[]) => readonly number[],
    ) => {
      const value = node.inputs[names.indexOf(name)];
      if (!isStored(value)) return;
      const kept = shape(value.constant.shape);
      const part = value.constant
        .reshape([rows, ...kept])
        .slice(0, index, 1)
        .reshape(kept);
      parts.set(role, { operand: operands.get(name)!, row: [index, rows], part, layout: same });
    };
    keep('input weight', 'w', d, count, (whole) => whole.slice(1));
    keep('recurrent weight', 'r', d, count, (whole) => whole.slice(1));
    keep('input bias', 'b', 2 * d, 2 * count, (whole) => [whole[1]! / 2]);
    keep('recurrent bias', 'b', 2 * d + 1, 2 * count, (whole) => [whole[1]! / 2]);
    return { kind, parts, isReverse: direction === 'reverse' || d === 1 };
  });
}
