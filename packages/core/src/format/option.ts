import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';

/** One option of a format: what it is for, which values it takes, and how it is spelled in text. */
export interface Option<T> {
  /** What it does, for help texts: `operator set version to write`. */
  readonly summary: string;
  /** The value's place in help texts: `n`. */
  readonly placeholder: string;
  /** What a value must be, for messages: `a whole number from 13 to 23`. */
  readonly says: string;
  /** The values, where they are few. */
  readonly choices?: readonly string[];
  /** Whether a value is one that it takes. */
  accepts(value: unknown): value is T;
  /** The value of a text; undefined when it is none. */
  parse(text: string): T | undefined;
}

/** Options by name, in camel case. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- each option has a type of its own
export type Options = Readonly<Record<string, Option<any>>>;

/** Values for options; those left out have the format's default. */
export type OptionValues<O extends Options> = {
  readonly [K in keyof O]?: (O[K] extends Option<infer T> ? T : never) | undefined;
};

/** A whole number within bounds, both included. */
export function wholeNumber(
  summary: string,
  { from, to = Infinity }: { readonly from: number; readonly to?: number },
): Option<number> {
  const accepts = (value: unknown): value is number =>
    Number.isSafeInteger(value) && from <= (value as number) && (value as number) <= to;
  return {
    summary,
    placeholder: 'n',
    says: `a whole number ${to === Infinity ? `of at least ${from}` : `from ${from} to ${to}`}`,
    accepts,
    parse: (text) => (/^\d+$/.test(text) && accepts(Number(text)) ? Number(text) : undefined),
  };
}

/** Factors of the units of sizes: decimal ones, and binary ones with an i. */
const units = new Map([
  ['', 1],
  ['b', 1],
  ['kb', 1e3],
  ['mb', 1e6],
  ['gb', 1e9],
  ['kib', 2 ** 10],
  ['mib', 2 ** 20],
  ['gib', 2 ** 30],
]);

/** A size in bytes; as text with a unit, too: `4MB`, `512 KiB`. */
export function byteSize(summary: string): Option<number> {
  const accepts = (value: unknown): value is number =>
    Number.isSafeInteger(value) && (value as number) >= 1;
  return {
    summary,
    placeholder: 'bytes',
    says: 'a size in bytes of at least 1, such as 4000000 or 4MB',
    accepts,
    parse: (text) => {
      const [, digits, unit] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text) ?? [];
      const size = Number(digits) * (units.get(unit?.toLowerCase() ?? '') ?? NaN);
      return accepts(size) ? size : undefined;
    },
  };
}

/** One of a few words, in any case; `aliases` are other words for them. */
export function choice<const C extends string>(
  summary: string,
  choices: readonly C[],
  {
    placeholder,
    aliases = {},
  }: {
    readonly placeholder: string;
    readonly aliases?: Readonly<Record<string, C>>;
  },
): Option<C> {
  const words = new Map<string, C>([
    ...choices.map((each) => [each.toLowerCase(), each] as const),
    ...Object.entries(aliases),
  ]);
  return {
    summary,
    placeholder,
    says: `one of ${choices.join(', ')}`,
    choices,
    accepts: (value): value is C => choices.some((each) => each === value),
    parse: (text) => words.get(text.toLowerCase()),
  };
}

/**
 * The layout of the image inputs of what is written, for formats that could take either: `nchw` or
 * `nhwc`; the source's when it is not given.
 */
export const inputLayout = choice('layout of the image inputs of the result', ['nchw', 'nhwc'], {
  placeholder: 'layout',
});

/** How an option is spelled on a command line: `shardSize` is `--shard-size`. */
export const flagOf = (name: string): string =>
  `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/**
 * Checks values given for a format's options; those that are undefined count as left out. Throws
 * `core/option` for an option that the format does not have and for a value that it does not take.
 */
export function checkOptions<O extends Options>(
  owner: string,
  options: O,
  values: Readonly<Record<string, unknown>>,
): OptionValues<O> {
  const fail = (message: string) =>
    coreDiagnostics.error('option', { message, origin: { file: '' } });
  const known = new Map(Object.entries(options));
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue;
    const option = known.get(name);
    if (!option) {
      const names = [...known.keys()].join(', ');
      throw fail(`${owner} has no option ${name}; it has ${names || 'none'}.`);
    }
    if (!option.accepts(value))
      throw fail(`${name} of ${owner} must be ${option.says}, not ${JSON.stringify(value)}.`);
  }
  return values as OptionValues<O>;
}
