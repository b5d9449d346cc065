import { ops, sameDim, type Graph, type Value } from '@drover/core';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

/*
 * A list of tensors is a tensor with the list's positions as its first axis. A list that nothing
 * has been put into yet has no shape: it stands in the graph as a foreign operator until the loop
 * that fills it gives it one, or until the end, where it is a finding.
 */

/** Operators that make a list, and which operand says its length. */
const makers: ReadonlyMap<string, number | undefined> = new Map([
  ['EmptyTensorList', undefined],
  ['TensorArrayV3', 0],
  ['TensorListReserve', 1],
]);

/** An operator on a list whose items have no known shape yet. */
function pending(
  node: SourceNode,
  inputs: readonly Value[],
  dtype: Value['dtype'],
  reason: string,
): Value {
  const types = [{ dtype, shape: null }];
  return node.graph.add(
    ops.Foreign,
    { inputs },
    { format: 'tensorflow', type: node.type, reason, cause: 'operator', attributes: [], types },
    node.options,
  ).outputs[0]!;
}

/** Whether a value is a list that nothing has been put into yet. */
export function isListOf(value: Value): boolean {
  return value.producer?.is(ops.Foreign) === true && makers.has(value.producer.attrs.type);
}

/** The length that an unfilled list was given; undefined for one that starts empty. */
export function listLength(list: Value): Value | undefined {
  if (!isListOf(list)) return undefined;
  const { producer: maker } = list;
  const operand = maker?.is(ops.Foreign) ? makers.get(maker.attrs.type) : undefined;
  return operand === undefined ? undefined : maker!.inputs[operand];
}

/**
 * What a loop's body puts into a list, whose value it is given as `before` and makes as `after`.
 * `isNext` says whether each trip puts in the item of its own number, and touches the list in no
 * other way; `hasLength`, whether the list is as long as there are trips.
 */
export function writtenItem(
  after: Value,
  before: Value,
  isTrip: (index: Value) => boolean,
  hasLength: boolean,
): { readonly item: Value; readonly isNext: boolean } | undefined {
  const write = after.producer;
  if (!write?.is(ops.Foreign)) return undefined;
  const [list, second, third] = write.inputs;
  const isAlone = list === before && before.users.size === 1 && after.users.size === 0;
  if (write.attrs.type === 'TensorListPushBack' && second)
    return { item: second, isNext: isAlone && hasLength };
  if (
    (write.attrs.type === 'TensorListSetItem' || write.attrs.type === 'TensorArrayWriteV3') &&
    second &&
    third
  )
    return { item: third, isNext: isAlone && hasLength && isTrip(second) };
  return undefined;
}

function asIndex(node: SourceNode, index: Value, shape: readonly number[]): Value {
  const wide =
    index.dtype === 'int64'
      ? index
      : node.graph.add(ops.Cast, { x: index }, { to: 'int64' }, node.step('index')).y;
  return node.graph.add(ops.Reshape, { x: wide }, { shape }, node.step('index')).y;
}

const first = (graph: Graph, x: Value, node: SourceNode): Value =>
  graph.add(ops.Unsqueeze, { x }, { axes: [0] }, node.step('item')).y;

const reserve: ToCore = (node) => {
  node.ignore('element_dtype', 'shape_type');
  return pending(
    node,
    node.inputs(),
    node.dtype('element_dtype'),
    'the list is not filled in a way that is known before the model runs',
  );
};

const fromTensor: ToCore = (node) => {
  node.ignore('element_dtype', 'shape_type');
  return node.input(0);
};

const getItem = (list: Value, index: Value, node: SourceNode): Value => {
  if (!list.shape)
    return pending(
      node,
      [list, index],
      list.dtype,
      'it reads a list whose items have no known shape',
    );
  return node.graph.add(ops.Gather, { x: list, indices: index }, { axis: 0 }, node.options).y;
};

const setItem = (list: Value, index: Value, item: Value, node: SourceNode): Value => {
  const { graph } = node;
  if (isListOf(list)) {
    const [length] = listLength(list)?.elements ?? [];
    if (length === undefined || !item.shape)
      throw node.unsupported(
        'it writes a list of a length or shape that is not known before the model runs',
      );
    const zeros = graph.add(
      ops.Expand,
      { x: graph.literal(item.dtype, [], [item.dtype === 'bool' ? false : 0]) },
      { shape: [length, ...item.shape] },
      node.step('list'),
    ).y;
    return graph.add(
      ops.ScatterND,
      { x: zeros, indices: asIndex(node, index, [1, 1]), updates: first(graph, item, node) },
      { reduction: 'none' },
      node.options,
    ).y;
  }
  if (!list.shape)
    return pending(
      node,
      [list, index, item],
      item.dtype,
      'it writes a list in a way that has no canonical form',
    );
  if (list.shape[0] === 1 && index.elements?.[0] === 0)
    return graph.add(ops.Unsqueeze, { x: item }, { axes: [0] }, node.options).y;
  return graph.add(
    ops.ScatterND,
    { x: list, indices: asIndex(node, index, [1, 1]), updates: first(graph, item, node) },
    { reduction: 'none' },
    node.options,
  ).y;
};

const pushBack: ToCore = (node) => {
  node.ignore('element_dtype');
  const [list, item] = [node.input(0), node.input(1)];
  if (isListOf(list)) return first(node.graph, item, node);
  if (!list.shape)
    return pending(
      node,
      [list, item],
      item.dtype,
      'it grows a list in a way that has no canonical form',
    );
  return node.graph.add(
    ops.Concat,
    { inputs: [list, first(node.graph, item, node)] },
    { axis: 0 },
    node.options,
  ).y;
};

const stack: ToCore = (node) => {
  node.ignore('element_dtype', 'num_elements');
  const list = node.input(0);
  if (isListOf(list) || !list.shape)
    return pending(node, [list], list.dtype, 'the list has items of no known shape');
  return list;
};

const lengthOf = (list: Value, node: SourceNode): Value => {
  const known = listLength(list);
  if (known) return known;
  const sizes = node.graph.add(ops.Shape, { x: list }, {}, node.step('shape')).y;
  const size = node.graph.add(
    ops.Gather,
    { x: sizes, indices: node.graph.literal('int64', [], [0]) },
    { axis: 0 },
    node.step('size'),
  ).y;
  return node.graph.add(ops.Cast, { x: size }, { to: 'int32' }, node.options).y;
};

const gather: ToCore = (node) => {
  node.ignore('element_dtype');
  return node.graph.add(
    ops.Gather,
    { x: node.input(0), indices: node.input(1) },
    { axis: 0 },
    node.options,
  ).y;
};

/** Whether indices are all positions of a list, in order. */
function isWhole(indices: Value, list: Value): boolean {
  const [count] = indices.shape ?? [];
  const [size] = list.shape ?? [];
  if (count === undefined || size === undefined || !sameDim(count, size)) return false;
  const range = indices.producer?.is(ops.Range) ? indices.producer.operands : undefined;
  return (
    indices.elements?.every((each, i) => each === i) ??
    (range?.start.elements?.[0] === 0 && range.delta.elements?.[0] === 1)
  );
}

const makeArray: ToCore = (node) => {
  node.ignore(
    'element_shape',
    'dynamic_size',
    'clear_after_read',
    'identical_element_shapes',
    'tensor_array_name',
  );
  const list = pending(
    node,
    [node.input(0)],
    node.dtype('dtype'),
    'the list is not filled in a way that is known before the model runs',
  );
  return [list, list];
};

/**
 * All items at once. The list is the operand `flow`: TensorFlow passes it on to say what has been
 * done to the list that the handle names.
 */
const scatterArray: ToCore = (node) => {
  const [indices, items] = [node.input(1), node.input(2)];
  if (!isWhole(indices, items)) throw node.unsupported('it does not fill the whole list in order');
  return items;
};

const gatherArray: ToCore = (node) => {
  node.ignore('element_shape');
  const [indices, list] = [node.input(1), node.input(2)];
  if (isListOf(list) || !list.shape)
    return pending(node, [indices, list], list.dtype, 'the list has items of no known shape');
  return isWhole(indices, list)
    ? list
    : node.graph.add(ops.Gather, { x: list, indices }, { axis: 0 }, node.options).y;
};

/**
 * Lists of tensors, as recurrent layers and `tf.map_fn` use them. They are read only: what is
 * written has plain tensors.
 */
export const tensorList = {
  toCore: {
    TensorListReserve: reserve,
    EmptyTensorList: reserve,
    TensorArrayV3: makeArray,
    TensorArrayScatterV3: scatterArray,
    TensorArrayGatherV3: gatherArray,
    TensorArrayReadV3: (node) => getItem(node.input(2), node.input(1), node),
    TensorArrayWriteV3: (node) => setItem(node.input(3), node.input(1), node.input(2), node),
    TensorArraySizeV3: (node) => lengthOf(node.input(1), node),
    TensorListFromTensor: fromTensor,
    TensorListGetItem: (node) => {
      node.ignore('element_dtype');
      return getItem(node.input(0), node.input(1), node);
    },
    TensorListSetItem: (node) => {
      node.ignore('element_dtype', 'resize_if_index_out_of_bounds');
      return setItem(node.input(0), node.input(1), node.input(2), node);
    },
    TensorListPushBack: pushBack,
    TensorListStack: stack,
    TensorListLength: (node) => lengthOf(node.input(0), node),
    TensorListGather: gather,
  } satisfies ReadRules,
};
