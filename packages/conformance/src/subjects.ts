import {
  coreDiagnostics,
  DroverError,
  runsFormat,
  type DiagnosticCatalogue,
  type Format,
  type Runtime,
} from '@drover/core';
import { notYet } from '@drover/core/format';
import { loadFormats } from '@drover/formats';
import { runtimes } from '@drover/runtimes';
import { onnxruntime } from '@drover/runtimes/onnxruntime';
import { reference } from '@drover/runtimes/reference';
import { tfjs } from '@drover/runtimes/tfjs';
import { modelFixtures, type ModelFixture } from './model-fixture.js';

/** A format of models under test. Every suite of models runs over all of them. */
export interface Subject {
  readonly id: string;
  readonly format: Format;
  /** What runs its models here. */
  readonly runtime: Runtime;
  /** Models in this format, the smallest first. */
  readonly models: readonly ModelFixture[];
}

/** Runtimes that tests do not take as they are listed, by id. */
const instead: ReadonlyMap<string, Runtime> = new Map([
  // The tests run side by side in processes of their own.
  ['onnxruntime', onnxruntime({ threads: 1 })],
  ['tfjs', tfjs()],
  // It needs Python: what is written for MXNet is read back, and `npm run test:live` runs it there.
  ['mxnet', reference()],
]);

function runtimeOf(format: string): Runtime {
  const listed = runtimes.find((each) => runsFormat(each, format))!;
  return instead.get(listed.id) ?? listed;
}

/** Every format of the list. */
export const allFormats = await loadFormats();

/** A subject for each format of the list that holds models. */
export const subjects: readonly Subject[] = allFormats
  .filter(({ model }) => model)
  .map((format) => ({
    id: format.id,
    format,
    runtime: runtimeOf(format.id),
    models: modelFixtures(format.id).toSorted((a, b) => a.size - b.size),
  }));

/** The subjects with their names, for tables of tests. */
export const byName = subjects.map((subject) => [subject.id, subject] as const);

/** The subject of a format. */
export const subjectOf = (id: string): Subject => subjects.find((each) => each.id === id)!;

/** The formats that models are written to, with their names. */
export const writers = byName.filter(([, { format }]) => format.model?.write);

/**
 * Whether all that stands against a conversion is operators that the target states not to write
 * yet.
 */
export function isNotYet(error: unknown): boolean {
  if (!(error instanceof DroverError)) return false;
  const errors = error.diagnostics.filter(({ severity }) => severity === 'error');
  return errors.length > 0 && errors.every(({ reason }) => reason === notYet.gap);
}

/** Whether a code is one of those that `drover explain` tells of a format. */
export function isCatalogued(code: string, ...of: readonly Format[]): boolean {
  const catalogues: readonly DiagnosticCatalogue<string>[] = [
    coreDiagnostics,
    ...of.flatMap(({ diagnostics }) => diagnostics),
  ];
  return catalogues.some(({ prefix, kinds }) =>
    Object.keys(kinds).some((name) => code === `${prefix}/${name}`),
  );
}
