import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import type { AttrValues, Attrs } from '../ops/attr.js';
import type { InferContext, Operands, PerOperand } from '../ops/define-op.js';
import type { ValueType } from '../tensor/value-type.js';
import { symbol, type Dim } from '../tensor/dim.js';
import { attrsOf, byName, flatten, type Node } from './node.js';
import { nameOf } from './origin.js';

let counter = 0;

/** A dimension that no input of a model tells; its name starts with `?` and equals no other. */
export function freshDim(hint: string): Dim {
  return symbol(`?${hint}_${counter++}`);
}

/** Whether a node is given, or its bodies make, something of which nobody knows the type. */
function restsOnUntyped({ inputs, regions }: Node): boolean {
  if (inputs.some((value) => value?.isUntyped)) return true;
  return Object.values(regions).some(({ graph }) =>
    graph.outputs.some(({ value }) => value.isUntyped),
  );
}

/**
 * The types of a node's results, in order. Checks operand count and types, attributes and
 * constraints first; throws `core/invalid-graph` (wrong operands or attributes) or
 * `core/invalid-shape` (a constraint, by its number).
 */
export function inferTypes(node: Node, resultCount?: number): readonly ValueType[] {
  const { op } = node;
  const { file, op: type } = node.origin;
  const origin = { file, node: nameOf(node.origin), op: type };
  const invalid = (message: string) =>
    coreDiagnostics.error('invalid-graph', { message: `${node}: ${message}`, origin });
  const slots = Object.entries(op.inputs);
  slots.forEach(([name, { arity, dtypes }], i) => {
    const values = arity === 'many' ? node.inputs.slice(i) : [node.inputs[i]];
    if (arity === 'one' && !values[0]) throw invalid(`the operand ${name} is missing.`);
    for (const value of values) {
      if (value && !dtypes.includes(value.dtype))
        throw invalid(`${name} cannot be ${value.dtype} (${value}).`);
    }
  });
  if (slots.at(-1)?.[1].arity !== 'many' && node.inputs.length > slots.length)
    throw invalid(`${node.inputs.length} operands for ${slots.length}.`);
  for (const [name, attr, value] of attrsOf(node)) {
    if (!attr.accepts(value))
      throw invalid(
        `the attribute ${name} must be ${attr.says}, not ${JSON.stringify(value) ?? 'absent'}.`,
      );
  }
  const types = byName(
    op.inputs,
    node.inputs.map((value) => value?.type),
  ) as PerOperand<Operands, ValueType>;
  const attrs = node.attrs as AttrValues<Attrs>;
  for (const [number, { says, holds }] of Object.entries(op.constraints)) {
    if (holds(types, attrs)) continue;
    const operands = node.inputs.map(String).join(', ');
    throw coreDiagnostics.error('invalid-shape', {
      message: `${node} breaks ${op.name} ${number}: ${says}. Operands: ${operands}.`,
      origin,
    });
  }
  const context: InferContext = {
    fresh: freshDim,
    regions: Object.fromEntries(
      Object.entries(node.regions).map(([name, { graph }]) => [name, graph]),
    ),
    resultCount,
  };
  const inferred = flatten<ValueType>(op.outputs, op.infer(types, attrs, context));
  const made = inferred.filter((type) => type !== undefined);
  // A foreign operator says of each result what it is.
  if (op.name === 'Foreign' || !restsOnUntyped(node)) return made;
  return made.map((type) => ({ ...type, isUntyped: true }));
}
