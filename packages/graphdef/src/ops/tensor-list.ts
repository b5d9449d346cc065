import { ops, type Graph, type Value } from '@drover/core';
import type { ReadRules, ToCore } from '../import/rule.js';
import type { SourceNode } from '../import/source-node.js';

/*
 * A list of tensors is a tensor with the list's positions as its first axis. A list that nothing has been put into yet has no shape: it stands in the graph as a
 * foreign operator until the loop that fills it gives it one, or until the end, where it is a finding.
 */

const unfilled = new Set(['TensorListReserve', 'EmptyTensorList']);

/** An operator on a list whose items have no known shape yet. */
function pending(node: SourceNode, inputs: readonly Value[], dtype: Value['dtype'], reason: string): Value {
  const types = [{ dtype, shape: null }];
  return node.graph.add(ops.Foreign, { inputs }, { format: 'tensorflow', type: node.type, reason, attributes: [], types }, { ...node.options, resultCount: 1 }).outputs[0]!;
}

/** Whether a value is a list that nothing has been put into yet. */
export function isListOf(value: Value): boolean {
  return value.producer?.is(ops.Foreign) === true && unfilled.has(value.producer.attrs.type);
}

/** The length that an unfilled list was given; undefined for one that starts empty. */
export function listLength(list: Value): Value | undefined {
  return list.producer?.is(ops.Foreign) && list.producer.attrs.type === 'TensorListReserve' ? list.producer.inputs[1] : undefined;
}

/**
 * What a loop's body puts into a list, whose value it is given as `before` and makes as `after`. `isNext` says whether each trip puts in the item of its own number,
 * and touches the list in no other way; `hasLength`, whether the list is as long as there are trips.
 */
export function writtenItem(after: Value, before: Value, isTrip: (index: Value) => boolean, hasLength: boolean): { readonly item: Value; readonly isNext: boolean } | undefined {
  const write = after.producer;
  if (!write?.is(ops.Foreign)) return undefined;
  const [list, second, third] = write.inputs;
  const isAlone = list === before && before.users.size === 1 && after.users.size === 0;
  if (write.attrs.type === 'TensorListPushBack' && second) return { item: second, isNext: isAlone && hasLength };
  if (write.attrs.type === 'TensorListSetItem' && second && third) return { item: third, isNext: isAlone && hasLength && isTrip(second) };
  return undefined;
}

function asIndex(node: SourceNode, index: Value, shape: readonly number[]): Value {
  const wide = index.dtype === 'int64' ? index : node.graph.add(ops.Cast, { x: index }, { to: 'int64' }, node.step('index')).y;
  return node.graph.add(ops.Reshape, { x: wide }, { shape }, node.step('index')).y;
}

const first = (graph: Graph, x: Value, node: SourceNode): Value => graph.add(ops.Unsqueeze, { x }, { axes: [0] }, node.step('item')).y;

const reserve: ToCore = (node) => {
  node.ignore('element_dtype', 'shape_type');
  return pending(node, node.inputs(), node.dtype('element_dtype'), 'the list is not filled in a way that is known before the model runs');
};

const fromTensor: ToCore = (node) => {
  node.ignore('element_dtype', 'shape_type');
  return node.input(0);
};

const getItem: ToCore = (node) => {
  node.ignore('element_dtype');
  const list = node.input(0);
  if (!list.shape) return pending(node, node.inputs(), list.dtype, 'it reads a list whose items have no known shape');
  return node.graph.add(ops.Gather, { x: list, indices: node.input(1) }, { axis: 0 }, node.options).y;
};

const setItem: ToCore = (node) => {
  node.ignore('element_dtype', 'resize_if_index_out_of_bounds');
  const [list, index, item] = [node.input(0), node.input(1), node.input(2)];
  const { graph } = node;
  if (isListOf(list)) {
    const [length] = listLength(list)?.elements ?? [];
    if (length === undefined || !item.shape) throw node.unsupported('it writes a list of a length or shape that is not known before the model runs');
    const zeros = graph.add(ops.Expand, { x: graph.literal(item.dtype, [], [item.dtype === 'bool' ? false : 0]) }, { shape: [length, ...item.shape] }, node.step('list')).y;
    return graph.add(ops.ScatterND, { x: zeros, indices: asIndex(node, index, [1, 1]), updates: first(graph, item, node) }, { reduction: 'none' }, node.options).y;
  }
  if (!list.shape) return pending(node, [list, index, item], item.dtype, 'it writes a list in a way that has no canonical form');
  if (list.shape[0] === 1 && index.elements?.[0] === 0) return graph.add(ops.Unsqueeze, { x: item }, { axes: [0] }, node.options).y;
  return graph.add(ops.ScatterND, { x: list, indices: asIndex(node, index, [1, 1]), updates: first(graph, item, node) }, { reduction: 'none' }, node.options).y;
};

const pushBack: ToCore = (node) => {
  node.ignore('element_dtype');
  const [list, item] = [node.input(0), node.input(1)];
  if (isListOf(list)) return first(node.graph, item, node);
  if (!list.shape) return pending(node, [list, item], item.dtype, 'it grows a list in a way that has no canonical form');
  return node.graph.add(ops.Concat, { inputs: [list, first(node.graph, item, node)] }, { axis: 0 }, node.options).y;
};

const stack: ToCore = (node) => {
  node.ignore('element_dtype', 'num_elements');
  const list = node.input(0);
  if (isListOf(list) || !list.shape) return pending(node, [list], list.dtype, 'the list has items of no known shape');
  return list;
};

const length: ToCore = (node) => {
  const known = listLength(node.input(0));
  if (known) return known;
  const sizes = node.graph.add(ops.Shape, { x: node.input(0) }, {}, node.step('shape')).y;
  const size = node.graph.add(ops.Gather, { x: sizes, indices: node.graph.literal('int64', [], [0]) }, { axis: 0 }, node.step('size')).y;
  return node.graph.add(ops.Cast, { x: size }, { to: 'int32' }, node.options).y;
};

const gather: ToCore = (node) => {
  node.ignore('element_dtype');
  return node.graph.add(ops.Gather, { x: node.input(0), indices: node.input(1) }, { axis: 0 }, node.options).y;
};

/** Lists of tensors, as recurrent layers and `tf.map_fn` use them. They are read only: what is written has plain tensors. */
export const tensorList = {
  toCore: {
    TensorListReserve: reserve,
    EmptyTensorList: reserve,
    TensorListFromTensor: fromTensor,
    TensorListGetItem: getItem,
    TensorListSetItem: setItem,
    TensorListPushBack: pushBack,
    TensorListStack: stack,
    TensorListLength: length,
    TensorListGather: gather,
  } satisfies ReadRules,
};
