import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { memorySource, type DType, type Source } from '@drover/core';

const root = new URL('../../../fixtures/checkpoints/', import.meta.url).pathname;

/** What the format's own library reads from a checkpoint. */
interface ExpectedCheckpoint {
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

/** A checkpoint that a real framework wrote, in memory. */
export interface CheckpointFixture {
  /** Folder and file, as `safetensors-tied/model.safetensors`. */
  readonly id: string;
  /** Id of the format. */
  readonly format: string;
  readonly main: string;
  /** The files of its folder by their names. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly source: Source;
  readonly expected: ExpectedCheckpoint;
}

interface Entry {
  readonly file: string;
  readonly format: string;
  readonly expected: string;
}

/** Every checkpoint in fixtures/checkpoints, as its fixture.json lists them. */
export function checkpointFixtures(): CheckpointFixture[] {
  return readdirSync(root).flatMap((folder) => {
    const read = (name: string) => readFileSync(join(root, folder, name));
    const { checkpoints } = JSON.parse(read('fixture.json').toString()) as {
      readonly checkpoints: readonly Entry[];
    };
    const names = readdirSync(join(root, folder)).filter((name) => !name.endsWith('fixture.json'));
    return checkpoints.map(({ file: main, format, expected }) => {
      const files = new Map(
        names.flatMap((name) => (name === expected ? [] : [[name, new Uint8Array(read(name))]])),
      );
      return {
        id: `${folder}/${main}`,
        format,
        main,
        files,
        source: memorySource(main, files),
        expected: JSON.parse(read(expected).toString()) as ExpectedCheckpoint,
      };
    });
  });
}
