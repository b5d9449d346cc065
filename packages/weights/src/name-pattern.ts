/** Whether a name is one of some patterns, in which `*` stands for anything, also for nothing. */
export function isNamedBy(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => {
    const parts = pattern.split('*');
    let at = parts[0]!.length;
    if (parts.length === 1) return name === pattern;
    const last = parts.at(-1)!;
    if (!name.startsWith(parts[0]!) || !name.endsWith(last)) return false;
    const end = name.length - last.length;
    for (const part of parts.slice(1, -1)) {
      const found = name.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return at <= end;
  });
}
