import type { Node, Op, Operand as Slot, Value } from '@drover/core';
import type { Attributes } from './attribute.js';
import type { GraphWriter } from './graph-writer.js';
import type { ToCore } from './rule.js';

type NoAttrs = Readonly<Record<never, never>>;

type UnaryOp = Op<{ readonly x: Slot<'one'> }, { readonly y: Slot<'one'> }, NoAttrs>;

/** Core operators of two operands without attributes. */
export type BinaryOp = Op<
  { readonly a: Slot<'one'>; readonly b: Slot<'one'> },
  { readonly y: Slot<'one'> },
  NoAttrs
>;

/** Reads the one operand of an operator that core has as it is. */
export const unary =
  (op: UnaryOp): ToCore =>
  (node) =>
    node.graph.add(op, { x: node.input(0) }, {}, node.options).y;

/** Reads the two operands of an operator that core has as it is. */
export const binary =
  (op: BinaryOp): ToCore =>
  (node) =>
    node.graph.add(op, { a: node.input(0), b: node.input(1) }, {}, node.options).y;

/** Writes operands in order under one operator name. */
export const plain =
  (op: string, attributes: Attributes = {}) =>
  (node: Node, writer: GraphWriter): void =>
    writer.node(op, node.inputs as Value[], attributes, node.outputs);
