import { readdirSync, readFileSync } from 'node:fs';
import { memorySource, type DType, type Source } from '@drover/core';

const root = new URL('../../../fixtures/checkpoints/', import.meta.url);

/** What the library reads from a checkpoint. */
interface Expected {
  readonly tensors: readonly {
    readonly name: string;
    readonly dtype: DType;
    readonly shape: readonly number[];
    /** Base64. */
    readonly data: string;
  }[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Further name → the name that holds the bytes. */
  readonly aliases: Readonly<Record<string, string>>;
}

/** A checkpoint that the library wrote. */
export interface Fixture {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly source: Source;
  readonly expected: Expected;
}

/** A checkpoint of `fixtures/checkpoints` with its main file. */
export function fixture(name: string, main = 'model.safetensors'): Fixture {
  const folder = new URL(`${name}/`, root);
  const read = (file: string) => readFileSync(new URL(file, folder));
  const files = new Map(readdirSync(folder).map((file) => [file, new Uint8Array(read(file))]));
  const expected = JSON.parse(read('expected.json').toString()) as Expected;
  return { files, source: memorySource(main, files), expected };
}

/** A file of a header, as an object or as its text or bytes, and what follows it. */
export function fileOf(header: object | string | Uint8Array, data: number | string = 0) {
  const text =
    typeof header === 'string' || header instanceof Uint8Array ? header : JSON.stringify(header);
  const head = Buffer.from(text as string);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(head.length));
  const rest = typeof data === 'string' ? Buffer.from(data) : Buffer.alloc(data);
  return new Uint8Array(Buffer.concat([size, head, rest]));
}

/** Files in memory, opened at the first of them. */
export const sourceOf = (files: Readonly<Record<string, Uint8Array>>): Source =>
  memorySource(Object.keys(files)[0]!, new Map(Object.entries(files)));

/** Bytes as the fixtures spell them. */
export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
