import { symbol, type Dim, type DType, type Shape } from '@drover/core';
import { dimName, freshDim } from '@drover/core/format';
import type { SymbolGraph, SymbolNode } from '../codec/symbol.js';
import { attrOf, fixedInputNames } from '../codec/operator.js';
import { typeFlags } from '../codec/type-flag.js';
import type { Hinted } from './hint.js';
import { reshapeRanks } from './movement-hints.js';
import { operatorHints } from './operator-hints.js';
import { PartialType, type Cell } from './partial-type.js';

/** Sweeps over the graph: each goes forth and back, and few models need more than two. */
const maxSweeps = 16;

/** How many ranks are guessed at most: each is followed by new sweeps. */
const maxGuesses = 64;

/**
 * The likely rank of an operator's first input where nothing tells it, most telling first: what is
 * added to a matrix or more has its rank; what codes take as it is has the dimensions they name,
 * and what they lay along one dimension among ones is a list; FullyConnected flattens rows, one for
 * each element of the batch; an Embedding looks up lists, one for each element of the batch.
 */
const guesses: readonly ((at: Hinted) => boolean)[] = [
  ({ node, inputs: [a, b] }) => {
    if (!/^broadcast_(?!axis|like|to)/.test(node.op!) || !a || !b) return false;
    const [known, open] = a.dims ? [a, b] : [b, a];
    return known.dims !== undefined && known.dims.length > 1 && open.ranked(known.dims.length);
  },
  ({ node, inputs: [x], attr }) => {
    const stated = node.op === 'Reshape' && attr('reverse') !== true ? attr('shape') : undefined;
    const codes = Array.isArray(stated) ? (stated as readonly number[]) : [];
    if (codes.length === 0) return false;
    const isList = codes.includes(-1) && codes.every((code) => Math.abs(code) === 1);
    const { taken } = reshapeRanks(codes);
    return isList ? x!.ranked(1) : !Number.isNaN(taken) && x!.ranked(taken);
  },
  ({ node, inputs: [x], attr }) =>
    node.op === 'FullyConnected' && attr('flatten') === true && x!.ranked(2),
  ({ node, inputs: [x] }) => node.op === 'Embedding' && x!.ranked(2),
];

/** Type and shape of the outputs of a graph's nodes as far as the whole graph tells them. */
export interface ShapeHints {
  /** undefined while not even the rank is known. Dimensions that are equal have one name. */
  shape(node: number, output: number): Shape | undefined;
  dtype(node: number, output: number): DType | undefined;
}

/** What a variable is known to be: a parameter's type and shape, else what the file hints at. */
export function statedType(node: SymbolNode): {
  dims: readonly (number | undefined)[] | undefined;
  dtype: DType | undefined;
} {
  const shape = /^\s*[([]\s*(-?\d+L?\s*(,\s*-?\d+L?\s*)*,?)\s*[)\]]\s*$/.exec(
    node.attrs.get('__shape__') ?? '',
  );
  const dims = shape?.[1]
    ?.split(',')
    .filter((each) => each.trim() !== '')
    .map((each) => parseInt(each, 10))
    .map((dim) => (dim > 0 ? dim : undefined));
  const flag = node.attrs.get('__dtype__');
  return {
    dims,
    dtype: flag !== undefined && /^\d+$/.test(flag) ? typeFlags[Number(flag)] : undefined,
  };
}

/**
 * MXNet's graphs state no shapes of inputs. Operators and parameters tell ranks, channels and which
 * dimensions are equal; this carries that through the graph, forth and back, until nothing new
 * comes up. Where nothing tells a rank, the likely one is taken. `parameters` gives the types of
 * stored arrays by the index of their variable, `outputs` the number of outputs of a node.
 */
export function inferHints(
  graph: SymbolGraph,
  known: (index: number) => { dtype: DType; shape: Shape } | undefined,
  outputs: (index: number) => number,
  file: string,
): ShapeHints {
  const types = graph.nodes.map((node, index) => {
    if (node.op !== null) return Array.from({ length: outputs(index) }, () => new PartialType());
    const given = known(index);
    if (given)
      return [
        new PartialType(
          given.shape.map((dim) => (typeof dim === 'number' ? dim : undefined)),
          given.dtype,
        ),
      ];
    const { dims, dtype } = statedType(node);
    return [new PartialType(dims, dtype)];
  });
  const hinted = graph.nodes.flatMap((node, index): Hinted[] => {
    const inputs = node.inputs.map((entry) => types[entry.node]![entry.output]!);
    const needed = node.op === null ? 1 : (fixedInputNames(node, file)?.length ?? 1);
    if (inputs.length < needed || inputs.includes(undefined as never)) return [];
    return [{ node, inputs, outputs: types[index]!, attr: (name) => attrOf(node, name, file) }];
  });
  const telling = hinted.flatMap((at) =>
    operatorHints.get(at.node.op!) ? [() => operatorHints.get(at.node.op!)!(at)] : [],
  );
  const settle = (): void => {
    for (let sweep = 0; sweep < maxSweeps; sweep++) {
      const order = sweep % 2 === 0 ? telling : [...telling].reverse();
      if (!order.map((hint) => hint()).includes(true)) break;
    }
  };
  settle();
  for (let count = 0; count < maxGuesses && guesses.some((guess) => hinted.some(guess)); count++)
    settle();
  const names = new Map<Cell<number>, Dim>();
  graph.nodes.forEach((node, index) => {
    if (node.op !== null || known(index)) return;
    types[index]![0]!.dims?.forEach((dim, axis) => {
      if (dim.value === undefined && !names.has(dim.root))
        names.set(dim.root, symbol(dimName(`${node.name}_${axis}`)));
    });
  });
  const dimOf = (dim: Cell<number>): Dim => dim.value ?? names.get(dim.root) ?? freshDim('size');
  return {
    shape: (node, output) => types[node]![output]?.dims?.map(dimOf),
    dtype: (node, output) => types[node]![output]?.dtype.value,
  };
}
