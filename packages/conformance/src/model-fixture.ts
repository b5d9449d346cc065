import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Tensor } from '@drover/core';
import { openFile } from '@drover/node';
import { readArrays } from '@drover/numpy/codec';

/** Where the fixture models lie. */
export const modelFolder = new URL('../../../fixtures/models/', import.meta.url).pathname;

/** What a framework computed: arrays under the names that the model file declares. */
export interface Golden {
  readonly file: string;
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly outputs: ReadonlyMap<string, Tensor>;
}

/** A model that a real framework wrote. */
export interface ModelFixture {
  /** Folder and file, as `torch-unet/ts_op11.onnx`. */
  readonly id: string;
  /** Id of the format. */
  readonly format: string;
  readonly path: string;
  /** Bytes of the folder in which its files lie. */
  readonly size: number;
  /** File of the weights where the format does not find it by itself. */
  readonly params: string | undefined;
  goldens(): Promise<readonly Golden[]>;
}

/** How a model file names what golden files have under other names. */
interface GoldenNames {
  readonly format: string;
  readonly input?: string;
  readonly inputs?: Readonly<Record<string, string>>;
  readonly outputs?: Readonly<Record<string, string>>;
}

interface ModelEntry extends GoldenNames {
  readonly file: string;
  readonly params?: string;
  readonly golden: readonly string[];
}

/** TF.js runtimes name tensors without the `:0` of their first result. */
const bare = (entry: GoldenNames, name: string) =>
  entry.format === 'tfjs' ? name.replace(/:0$/, '') : name;

/** Reads a golden file; unless told, names are those of the model. */
export async function readGolden(
  path: string,
  entry: GoldenNames = { format: 'onnx' },
): Promise<Golden> {
  const source = await openFile(path);
  const arrays = await readArrays(source);
  source.close();
  const inputs = new Map(Object.entries(entry.inputs ?? {}));
  const outputs = new Map(Object.entries(entry.outputs ?? {}));
  const side = (prefix: string, names: (key: string) => string | undefined) =>
    new Map(
      [...arrays].flatMap(([key, value]) =>
        key.startsWith(prefix)
          ? [[bare(entry, names(key.slice(prefix.length)) ?? key.slice(prefix.length)), value]]
          : [],
      ),
    );
  return {
    file: path.replace(modelFolder, ''),
    inputs: side('in_', (key) => entry.input ?? inputs.get(key)),
    outputs: side('out_', (key) => outputs.get(key)),
  };
}

const sizeOf = (folder: string): number =>
  readdirSync(folder)
    .map((name) => statSync(join(folder, name)))
    .reduce((sum, each) => sum + (each.isFile() ? each.size : 0), 0);

/** Every model in fixtures/models of a format, as its fixture.json lists them. */
export function modelFixtures(format: string): ModelFixture[] {
  return readdirSync(modelFolder).flatMap((folder) => {
    const { models } = JSON.parse(
      readFileSync(join(modelFolder, folder, 'fixture.json'), 'utf8'),
    ) as {
      readonly models: readonly ModelEntry[];
    };
    return models
      .filter((entry) => entry.format === format)
      .map((entry) => ({
        id: `${folder}/${entry.file}`,
        format: entry.format,
        path: join(modelFolder, folder, entry.file),
        size: sizeOf(dirname(join(modelFolder, folder, entry.file))),
        params: entry.params && join(modelFolder, folder, entry.params),
        goldens: () =>
          Promise.all(
            entry.golden.map((file) => readGolden(join(modelFolder, folder, file), entry)),
          ),
      }));
  });
}
