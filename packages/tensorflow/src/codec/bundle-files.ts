const indexEnd = '.index';

/** The prefix that the files of a checkpoint share, from the name of its index. */
export const prefixOf = (path: string): string =>
  path.endsWith(indexEnd) ? path.slice(0, -indexEnd.length) : path;

/** The name of the index of a prefix. */
export const indexPath = (prefix: string): string => `${prefix}${indexEnd}`;

/** The name of a weight file, counted from 0. */
export function shardPath(prefix: string, shard: number, count: number): string {
  const [number, all] = [shard, count].map((each) => `${each}`.padStart(5, '0'));
  return `${prefix}.data-${number}-of-${all}`;
}

/** A path without its folders. */
export const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
