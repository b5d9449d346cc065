/**
 * Where a file of this package is, by its path in there. The code that asks may stand elsewhere: in
 * src, in dist, or in a bundle of what it is a part of.
 */
export const packageFile = (path: string): URL =>
  new URL(path, import.meta.resolve('@drover/runtimes/package.json'));
