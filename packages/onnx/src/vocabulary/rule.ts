import type { Node, Value } from '@drover/core';
import { gap } from '@drover/core/format';
import type { BinaryOp, UnaryOp } from './compose.js';
import type { GraphWriter } from './graph-writer.js';
import type { Sequence } from './sequence.js';
import type { SourceNode } from './source-node.js';

/** What a node makes at one output; undefined for an output that has no name. */
type Made = Value | Sequence | undefined;

/**
 * Builds the meaning of a source node in core and gives what stands at each of its outputs, in
 * order; trailing ones may be left out when they have no name.
 */
export type ToCore = (node: SourceNode) => Made | readonly Made[];

/** How one operator is read in a range of operator set versions, both ends included. */
export interface ReadRule {
  readonly since: number;
  readonly until: number;
  readonly toCore: ToCore;
}

/** Rules by operator (`Relu`, `com.microsoft.Gelu`). */
export type ReadRules = Readonly<Record<string, readonly ReadRule[]>>;

/** Rules as a table: what a file says is looked up here. */
export type ReadTable = ReadonlyMap<string, readonly ReadRule[]>;

/** One meaning in every version. */
export const always = (toCore: ToCore): readonly ReadRule[] => [
  { since: 1, until: Infinity, toCore },
];

/**
 * Another meaning from some versions on: `versions([1, a], [13, b])` reads versions 1 to 12 by a
 * and the later ones by b.
 */
export const versions = (
  ...meanings: readonly (readonly [since: number, toCore: ToCore])[]
): readonly ReadRule[] =>
  meanings.map(([since, toCore], i) => ({
    since,
    until: (meanings[i + 1]?.[0] ?? Infinity) - 1,
    toCore,
  }));

/** An operator that has no canonical form, and why. */
export const foreign = (reason: string): readonly ReadRule[] =>
  always((node) => {
    throw node.unsupported(reason);
  });

/** One operand, without attributes. */
export const readUnary =
  (op: UnaryOp): ToCore =>
  (node) =>
    node.graph.add(op, { x: node.input(0) }, {}, node.options).y;

/**
 * Two operands, without attributes. Before version 7 the second one was lined up by an `axis`; such
 * models are refused by the operator set range.
 */
export const readBinary =
  (op: BinaryOp): ToCore =>
  (node) =>
    node.graph.add(op, { a: node.input(0), b: node.input(1) }, {}, node.options).y;

/** Writes operands in order under one operator name, without attributes. */
export const writePlain =
  (opType: string) =>
  (node: Node, writer: GraphWriter): void =>
    writer.node(opType, node.inputs, {}, node.outputs);

/** What cannot be written unless its channels come first. */
export const wrongLayout = gap('ONNX has its channels in dimension 1');
