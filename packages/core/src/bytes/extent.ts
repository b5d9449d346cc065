/** A stretch of bytes of something: a file, a buffer, decoded content. */
export interface Extent {
  /** Tells what it is a stretch of. */
  readonly of: string;
  /** Where it begins in that, in bytes. */
  readonly offset: number;
  /** How many bytes it has. */
  readonly length: number;
}

const numbers = new WeakMap<object, number>();
let last = 0;

/** A text that stands for a thing as long as it lives, and for no other one. */
export function identityOf(thing: object | string): string {
  if (typeof thing === 'string') return JSON.stringify(thing);
  let number = numbers.get(thing);
  if (number === undefined) numbers.set(thing, (number = ++last));
  return `#${number}`;
}

/** The same stretches, those that follow one another made one. */
export function merged(extents: readonly Extent[]): readonly Extent[] {
  const out: Extent[] = [];
  for (const extent of extents) {
    const before = out.at(-1);
    if (before?.of === extent.of && before.offset + before.length === extent.offset)
      out[out.length - 1] = { ...before, length: before.length + extent.length };
    else out.push(extent);
  }
  return out;
}
