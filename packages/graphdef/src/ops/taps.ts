import type { GraphWriter, Ref } from '../vocabulary/graph-writer.js';

/**
 * Elements of a line that make the element at a position between two: how far behind the one before
 * the position each lies, and its weight. `rest` is how far (float32, 0 to 1) the position lies
 * behind that one. Linear, or with a coefficient `a` the cubic kernel of Keys (1981), as ONNX
 * Resize-19 states both.
 */
export function taps(
  writer: GraphWriter,
  rest: Ref,
  a: number | undefined,
): readonly (readonly [offset: number, weight: Ref])[] {
  const float = (value: number) => writer.literal('float32', [], [value]);
  const step = (op: string) => (x: Ref, y: Ref) => writer.step(op, [x, y]);
  const [add, sub, mul] = [step('AddV2'), step('Sub'), step('Mul')];
  if (a === undefined) {
    return [
      [0, sub(float(1), rest)],
      [1, rest],
    ];
  }
  const horner = (d: Ref, [first, ...more]: readonly number[]) =>
    more.reduce((sum, each) => add(mul(sum, d), float(each)), float(first!));
  // Keys' kernel within a distance of 1 and from 1 to 2.
  const near = (d: Ref) => horner(d, [a + 2, -(a + 3), 0, 1]);
  const far = (d: Ref) => horner(d, [a, -5 * a, 8 * a, -4 * a]);
  return [
    [-1, far(add(rest, float(1)))],
    [0, near(rest)],
    [1, near(sub(float(1), rest))],
    [2, far(sub(float(2), rest))],
  ];
}
