/**
 * Subscripts of an Einstein sum: a label for each dimension of each operand and of the result.
 * Dimensions under an ellipsis have the labels `.1`, `.2`, …, counted from the last.
 */
export interface Subscripts {
  readonly operands: readonly (readonly string[])[];
  readonly result: readonly string[];
}

/** What two operands of a sum have in common, which decides how they are multiplied. */
export interface Contraction {
  /** Labels of both that stay. */
  readonly batch: readonly string[];
  /** Labels of both that are summed over. */
  readonly summed: readonly string[];
  /** Labels of one operand only. */
  readonly left: readonly string[];
  readonly right: readonly string[];
}

/**
 * Reads an equation such as `bij,bjk->bik` for operands of these ranks (NumPy's and ONNX's rules:
 * spaces are ignored; without `->` the result has the ellipsis and the labels that occur once,
 * sorted). undefined when the equation is not one, or does not fit the ranks. A rank may be unknown
 * only where the subscripts have no ellipsis.
 */
export function readSubscripts(
  equation: string,
  ranks: readonly (number | undefined)[],
): Subscripts | undefined {
  const [left, right, ...more] = equation.replaceAll(' ', '').split('->');
  const terms = left!.split(',');
  if (more.length > 0 || terms.length !== ranks.length) return undefined;
  const operands: (readonly string[])[] = [];
  for (const [i, term] of terms.entries()) {
    const labels = expand(term, ranks[i]);
    if (!labels) return undefined;
    operands.push(labels);
  }
  const all = operands.flat();
  const dots = Math.max(0, ...operands.map((labels) => labels.filter(isDot).length));
  const once = [...new Set(all)]
    .filter((label) => !isDot(label) && all.indexOf(label) === all.lastIndexOf(label))
    .sort();
  const result =
    right === undefined
      ? [...dotLabels(dots), ...once]
      : expand(right, right.replace('...', '').length + dots);
  if (
    !result ||
    new Set(result).size !== result.length ||
    !result.every((label) => all.includes(label))
  )
    return undefined;
  return { operands, result };
}

const isDot = (label: string) => label.startsWith('.');

const dotLabels = (count: number) => Array.from({ length: count }, (_, i) => `.${count - i}`);

function expand(term: string, rank: number | undefined): string[] | undefined {
  const match = /^([A-Za-z]*)(\.\.\.)?([A-Za-z]*)$/.exec(term);
  if (!match) return undefined;
  const [before, after] = [[...match[1]!], [...match[3]!]];
  const covered =
    match[2] === undefined ? 0 : rank === undefined ? -1 : rank - before.length - after.length;
  if (covered < 0 || (rank !== undefined && rank !== before.length + covered + after.length))
    return undefined;
  return [...before, ...dotLabels(covered), ...after];
}

/**
 * How to multiply an operand by the next, when `kept` are the labels that the result or a later
 * operand has. Both have each label once.
 */
export function contraction(
  a: readonly string[],
  b: readonly string[],
  kept: ReadonlySet<string>,
): Contraction {
  const both = a.filter((label) => b.includes(label));
  return {
    batch: both.filter((label) => kept.has(label)),
    summed: both.filter((label) => !kept.has(label)),
    left: a.filter((label) => !b.includes(label)),
    right: b.filter((label) => !a.includes(label)),
  };
}

/** The labels that later steps need once the operands up to `next` are multiplied. */
export function keptAfter(next: number, { operands, result }: Subscripts): ReadonlySet<string> {
  return new Set([...result, ...operands.slice(next + 1).flat()]);
}
