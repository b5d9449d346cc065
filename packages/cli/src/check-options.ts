import type { Bounds } from '@drover/parity';
import { runtimes } from '@drover/runtimes';
import { InvalidArgumentError, Option } from 'commander';

/** What `parity` and `convert --verify` may be told of how two models are compared. */
export interface CheckOptions {
  readonly inputs?: readonly string[];
  readonly seed?: number;
  readonly seeds?: number;
  readonly size?: ReadonlyMap<string, number>;
  readonly range?: ReadonlyMap<string, Bounds>;
  readonly map?: ReadonlyMap<string, string>;
  readonly atol?: number;
  readonly rtol?: number;
  readonly runtime?: string;
  readonly saveInputs?: string;
}

function whole(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('It must be a whole number.');
  return value;
}

function positive(text: string): number {
  const value = whole(text);
  if (value === 0) throw new InvalidArgumentError('It must be at least 1.');
  return value;
}

function tolerance(text: string): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (!(value >= 0 && value < Infinity))
    throw new InvalidArgumentError('It must be a number, not negative.');
  return value;
}

/** Collects `NAME=VALUE` over the uses of an option. The last = parts, as names may hold others. */
function entries<T>(parse: (text: string) => T | undefined, says: string) {
  return (text: string, before: ReadonlyMap<string, T> = new Map<string, T>()) => {
    const at = text.lastIndexOf('=');
    const value = at > 0 ? parse(text.slice(at + 1)) : undefined;
    if (value === undefined) throw new InvalidArgumentError(`It must be ${says}.`);
    return new Map([...before, [text.slice(0, at), value]]);
  };
}

const size = (text: string) => (/^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined);

function bounds(text: string): Bounds | undefined {
  const [low, high, more] = text.split('..');
  if (!low || !high || more !== undefined) return undefined;
  const range = { low: Number(low), high: Number(high) };
  return Number.isFinite(range.low) && Number.isFinite(range.high) && range.low <= range.high
    ? range
    : undefined;
}

/** The options as a command takes them. */
export function checkOptions(): readonly Option[] {
  return [
    new Option(
      '--inputs <files...>',
      'arrays to feed: .npz, .npy or ONNX .pb; made from the seed when absent',
    ),
    new Option('--seed <n>', 'seed of the inputs that are made').argParser(whole),
    new Option('--seeds <n>', 'runs, each on inputs of its own; 3 when absent').argParser(positive),
    new Option(
      '--size <name=n>',
      'size of a free dimension, by its name or INPUT[AXIS]; may be given again',
    ).argParser(entries(size, 'NAME=N with a whole number of at least 1')),
    new Option(
      '--range <name=low..high>',
      'values that an input is given; may be given again',
    ).argParser(entries(bounds, 'NAME=LOW..HIGH with two numbers')),
    new Option(
      '--map <first=second>',
      'an input or output of the second model that belongs to one of the first; may be given again',
    ).argParser(entries((text) => text || undefined, 'FIRST=SECOND')),
    new Option(
      '--atol <a>',
      'fixed tolerance: every element within A + R times what is expected',
    ).argParser(tolerance),
    new Option('--rtol <r>', 'the R of --atol').argParser(tolerance),
    new Option(
      '--runtime <name>',
      "what runs the models whose format it runs; each format's own when absent",
    ).choices(runtimes.map(({ id }) => id)),
    new Option('--save-inputs <file>', 'where to write the inputs that were made: .npz'),
  ];
}
