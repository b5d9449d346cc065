/**
 * What the stars of a pattern stand for in a name, the shortest first; undefined where the name is
 * not of the pattern. `*` stands for anything, also for nothing.
 */
export function starsOf(name: string, pattern: string): readonly string[] | undefined {
  const [first, ...rest] = pattern.split('*');
  if (!name.startsWith(first!)) return undefined;
  let at = first!.length;
  const stars: string[] = [];
  for (const [i, text] of rest.entries()) {
    const found = i === rest.length - 1 ? name.length - text.length : name.indexOf(text, at);
    if (found < at || !name.startsWith(text, found)) return undefined;
    stars.push(name.slice(at, found));
    at = found + text.length;
  }
  return at === name.length ? stars : undefined;
}

/** Whether a name is one of some patterns, in which `*` stands for anything, also for nothing. */
export const isNamedBy = (name: string, patterns: readonly string[]): boolean =>
  patterns.some((pattern) => starsOf(name, pattern) !== undefined);
