import { readdirSync, readFileSync } from 'node:fs';
import { memorySource, type DType, type Source } from '@drover/core';

const root = new URL('../../../fixtures/checkpoints/', import.meta.url);
const testdata = new URL('../src/codec/testdata/', import.meta.url);

/** What TensorFlow reads from a checkpoint. */
interface Expected {
  readonly tensors: readonly {
    readonly name: string;
    readonly dtype: DType;
    readonly shape: readonly number[];
    /** Base64. */
    readonly data: string;
  }[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Name of a variable → key of its tensor. */
  readonly aliases: Readonly<Record<string, string>>;
}

/** A checkpoint that TensorFlow wrote. */
export interface Fixture {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly source: Source;
  readonly expected: Expected;
}

/** A checkpoint of `fixtures/checkpoints`, or the one of the codec's own, with its main file. */
export function fixture(name: string, main = 'model.ckpt.index'): Fixture {
  const folder = name === 'testdata' ? testdata : new URL(`${name}/`, root);
  const read = (file: string) => readFileSync(new URL(file, folder));
  const files = new Map(readdirSync(folder).map((file) => [file, new Uint8Array(read(file))]));
  const expected = JSON.parse(read('expected.json').toString()) as Expected;
  return { files, source: memorySource(main, files), expected };
}

/** The fixtures, each with its main file. */
export const all = [
  ['tensorflow-every_dtype', 'model.ckpt.index'],
  ['testdata', 'old.index'],
  ['tensorflow-training', 'ckpt-1.index'],
  ['tensorflow-keras_weights', 'weights.index'],
  ['tensorflow-partitioned', 'model.ckpt.index'],
] as const;

/** Bytes as the fixtures spell them. */
export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
