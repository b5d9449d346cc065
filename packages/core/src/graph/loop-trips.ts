import type { ops } from '../ops/ops.js';
import type { Dim } from '../tensor/dim.js';
import type { Graph } from './graph.js';
import type { Node } from './node.js';

/** Whether the body of a Loop never ends it: its first result is true, or what it is given. */
export function neverEnds({ inputs, outputs }: Graph): boolean {
  const first = outputs[0]?.value;
  return first !== undefined && (first === inputs[1] || first.constant?.peek()?.data[0] === 1);
}

/**
 * Whether the body of a Loop uses the parameter that says whether it goes on for more than to hand
 * it on.
 */
export function readsCondition({ inputs, outputs }: Graph): boolean {
  const [, condition] = inputs;
  return (
    condition !== undefined &&
    (condition.users.size > 0 || outputs.slice(1).some(({ value }) => value === condition))
  );
}

/** How many trips a Loop makes that makes all it may, as far as that is known before it runs. */
export function loopTrips({ operands, regions }: Node<typeof ops.Loop>): Dim | undefined {
  return operands.condition === undefined && neverEnds(regions['body']!.graph)
    ? operands.maxTrips?.elements?.[0]
    : undefined;
}
