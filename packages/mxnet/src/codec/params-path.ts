/** How a params file of a prefix is called: by its epoch, as MXNet does, or alone. */
const named = /^(.*?)(?:-(\d+))?\.params$/;

const prefixOf = (path: string) => path.replace(/-symbol\.json$/, '');

/**
 * Path of the params file to write beside a symbol file: `PREFIX-0000.params` beside
 * `PREFIX-symbol.json`, as MXNet's `export` does. A symbol file of another name is its own prefix,
 * so that no two share one.
 */
export function paramsPath(symbolPath: string): string {
  return `${prefixOf(symbolPath)}-0000.params`;
}

/**
 * Which of the files in the folder of a symbol file holds its parameters: `PREFIX-NNNN.params`
 * beside `PREFIX-symbol.json` (or `PREFIX.json`), the latest epoch; else `PREFIX.params`; else the
 * only params file there.
 */
export function paramsAmong(symbolPath: string, names: readonly string[]): string | undefined {
  const symbol = symbolPath.slice(symbolPath.lastIndexOf('/') + 1);
  const candidates = names.flatMap((name) => {
    const [, prefix, epoch = '-1'] = named.exec(name) ?? [];
    return prefix === undefined ? [] : [{ name, prefix, epoch: Number(epoch) }];
  });
  for (const own of [prefixOf(symbol), symbol.replace(/\.json$/, '')]) {
    const [latest] = candidates
      .filter(({ prefix }) => prefix === own)
      .sort((a, b) => b.epoch - a.epoch);
    if (latest) return latest.name;
  }
  return candidates.length === 1 ? candidates[0]!.name : undefined;
}
