import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import {
  convert,
  MemorySink,
  memorySource,
  type ConversionReport,
  type Format,
  type LoadedModel,
  type Model,
  type OpenedModel,
  type Runtime,
  type Source,
} from '@drover/core';
import { openFile } from '@drover/node';
import { distance } from './distance.js';
import type { Golden, ModelFixture } from './model-fixture.js';
import { subjectOf } from './subjects.js';

/** A model as files in memory. */
export interface WrittenModel extends OpenedModel {
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Opens a fixture as a conversion's source; `close` frees its file. */
export async function openFixture({ path, params }: ModelFixture) {
  const source = await openFile(path);
  const weights = params === undefined ? undefined : await openFile(params);
  return {
    source,
    params: weights,
    close: () => {
      source.close();
      weights?.close();
    },
  };
}

/** The files of a fixture in memory, by their paths from the folder of the main one. */
export interface FixtureFiles {
  readonly main: string;
  /** The file of the weights where the format does not find it by itself. */
  readonly params: string | undefined;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Reads the main file of a fixture and what its format says that belongs to it. */
export async function filesOf({ path, params, format }: ModelFixture): Promise<FixtureFiles> {
  const source = await openFile(path);
  const { files: companions } = subjectOf(format).format;
  const names = [
    ...((await companions?.(source)) ?? []),
    ...(params === undefined ? [] : [basename(params)]),
  ];
  source.close();
  const main = basename(path);
  const read = (name: string) => readFileSync(join(dirname(path), name));
  return {
    main,
    params: params && basename(params),
    files: new Map([main, ...names].map((name) => [name, new Uint8Array(read(name))])),
  };
}

/** Converts into memory. */
export async function convertInMemory(
  from: Format,
  to: Format,
  source: Source,
  params?: Source,
): Promise<WrittenModel & { readonly report: ConversionReport }> {
  const sink = new MemorySink();
  const report = await convert({ from, to, source, params, sink });
  return {
    format: to,
    files: sink.files,
    source: memorySource(to.fileNames.usual, sink.files),
    report,
  };
}

/** Names as a model declares them, in its order. */
export interface Declared {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** Names of a model's inputs and outputs. */
export const declaredBy = ({ graph }: Model): Declared => ({
  inputs: graph.inputs.map(({ name }) => name),
  outputs: graph.outputs.map(({ name }) => name),
});

/**
 * Runs a model on what a framework was fed and tells how far each output is from what it computed:
 * the largest difference over the largest magnitude. Names are those of the source, and where the
 * format cannot spell one, its place counts.
 */
async function distances(
  loaded: LoadedModel,
  { inputs, outputs }: Golden,
  declared: Declared,
): Promise<Map<string, number>> {
  const given = new Map(
    declared.inputs.map((name, i) => [
      loaded.inputs.find((input) => input.name === name)?.name ?? loaded.inputs[i]!.name,
      inputs.get(name)!,
    ]),
  );
  const results = await loaded.run(given);
  const inOrder = [...results.values()];
  return new Map(
    declared.outputs.map((name, i) => [
      name,
      distance(results.get(name) ?? inOrder[i], outputs.get(name)),
    ]),
  );
}

/**
 * Loads a written model into a runtime, runs it on every golden, and gives the largest distance.
 */
export async function worstDistance(
  runtime: Runtime,
  model: WrittenModel,
  goldens: readonly Golden[],
  declared: Declared,
): Promise<number> {
  const loaded = await runtime.load(model);
  try {
    let worst = 0;
    for (const golden of goldens)
      worst = Math.max(worst, ...(await distances(loaded, golden, declared)).values());
    return worst;
  } finally {
    await loaded.dispose();
  }
}
