import type { Node, OpName, Shape, Value } from '@drover/core';
import { gap, type Gap } from '@drover/core/format';
import { unary, viaFloat, type UnaryOp } from './build.js';
import type { Attributes, GraphWriter } from './graph-writer.js';
import type { SourceNode } from './source-node.js';

/**
 * Builds the meaning of a source node in core and gives a value for each of its outputs, in order;
 * those that nobody uses may be left out.
 */
export type ToCore = (node: SourceNode) => Value | readonly (Value | undefined)[];

/** Rules by canonical operator name. */
export type ReadRules = Readonly<Record<string, ToCore>>;

/** Rules as a table: what a file says is looked up here. */
export type ReadTable = ReadonlyMap<string, ToCore>;

/** Composites that are written as one operator, and under which condition. */
export type KeepRules = Readonly<Partial<Record<OpName, (node: Node) => boolean>>>;

/** One operand, without attributes. */
export const readUnary =
  (op: UnaryOp): ToCore =>
  (node) =>
    unary(node, op, node.input(0));

/** One operand, which core takes as a float. */
export const readFloatUnary =
  (op: UnaryOp): ToCore =>
  (node) =>
    unary(node, op, viaFloat(node, node.input(0)));

/** Writes operands in order under one operator name. */
export const writePlain =
  (op: string, attributes: Attributes = {}) =>
  (node: Node, writer: GraphWriter): void =>
    writer.node(op, node.inputs as Value[], attributes, node.outputs);

/** What core takes apart before it is written. */
export const decomposed = gap('it is written in simpler operators');

/** What cannot be written without a rank. */
export const unknownRank = gap('the rank of its operand is not known');

/** What cannot be written because the sizes of its result are not told. */
export const noSizes = (shape: Shape | undefined): Gap =>
  gap(`MXNet's codes cannot say the shape [${shape?.join(', ') ?? '…'}] from what it is made of`);

/** Whether what a step of writing gave is the reason why there is none. */
export const isGap = (result: object): result is Gap => 'gap' in result;
