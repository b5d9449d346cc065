import type { Graph } from '../graph/graph.js';
import { attrsOf, type Node } from '../graph/node.js';
import type { Value } from '../graph/value.js';
import type { Weight } from '../tensor/weight.js';
import { definePass } from './define-pass.js';

/**
 * Computes once what several nodes compute alike: the same operator on the same operands with the
 * same attributes. Equal constants are merged: the one that is left stands for all. Nodes with
 * bodies stay, and so do foreign operators, which may not be functions of their operands.
 *
 * ```
 * a = Exp(x)              a = Exp(x)
 * b = Exp(x)          →   y = Add(a, a)
 * y = Add(a, b)           outputs: y
 * outputs: y
 * ```
 */
export const commonSubexpressions = definePass(
  'common-subexpressions',
  ['layout', 'composites'],
  (graph: Graph) => {
    const numbers = new Map<Value, number>();
    const constants = new Map<string, Value[]>();
    /** The first constant met that has the same elements: this one, if it is the first. */
    const twinOf = (value: Value): Value => {
      const key = `${value.dtype}[${value.constant!.shape.join()}]`;
      const alike = constants.get(key) ?? [];
      constants.set(key, alike);
      const twin = alike.find((other) => other.constant!.same(value.constant!)) ?? value;
      if (twin === value) alike.push(value);
      return twin;
    };
    const number = (value: Value): number => {
      const known = numbers.get(value);
      if (known !== undefined) return known;
      const fresh = (value.constant && numbers.get(twinOf(value))) ?? numbers.size;
      numbers.set(value, fresh);
      return fresh;
    };
    const first = new Map<string, Node>();
    /** Constants that stand for equal ones of nodes that are gone. */
    const merged = new Map<Value, Weight>();
    let edits = 0;
    for (const node of graph.sorted()) {
      if ((node.op.regions ?? []).length > 0 || node.op.name === 'Foreign') continue;
      const attrs = attrsOf(node).map(([, attr, value]) => attr.print(value));
      const key = JSON.stringify([
        node.op.name,
        node.inputs.map((value) => value && number(value)),
        attrs,
        node.outputs.length,
      ]);
      const twin = first.get(key);
      if (!twin) {
        first.set(key, node);
        continue;
      }
      node.outputs.forEach((value, i) => graph.replaceUses(value, twin.outputs[i]!));
      twin.inputs.forEach((kept, i) => {
        if (!kept?.constant) return;
        const { constant } = node.inputs[i]!;
        merged.set(kept, (merged.get(kept) ?? kept.constant).mergedWith(constant!));
      });
      graph.remove(node);
      edits++;
    }
    for (const [value, weight] of merged)
      if (weight !== value.constant)
        graph.replaceUses(value, graph.constant(weight, value.name, value.origin));
    return edits;
  },
);
