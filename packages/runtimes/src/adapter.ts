import {
  decodeTensor,
  dtypes,
  encodeTensor,
  runtimeDiagnostics,
  type ByteSource,
  type DroverError,
  type Finding,
  type LoadedModel,
  type ModelFiles,
  type OpenedModel,
  type Runtime,
  type Signature,
  type Tensor,
} from '@drover/core';
import { fitInputs } from '@drover/core/format';
import type { ProcessOptions } from './process-options.js';
import {
  EngineFailure,
  importPeer,
  type Engine,
  type LoadEngine,
  type RawSignature,
  type RawTensor,
} from './engine.js';

/** What an engine gets of a model, not read yet. */
export interface EngineModel<Settings> {
  /** The main file first. */
  readonly files: readonly { readonly path: string; readonly source: ByteSource }[];
  /** What else the engine needs to know: plain data. */
  readonly settings: Settings;
}

/** What messages name. */
export interface Subject {
  /** The runtime. */
  readonly title: string;
  /** The main file of the model. */
  readonly file: string;
}

/** Starts an engine with a model. */
export type Start<Settings> = (model: EngineModel<Settings>, subject: Subject) => Promise<Engine>;

/** Starts an engine in this process. */
export function here<Settings>(
  engine: () => Promise<{ readonly load: LoadEngine<Settings> }>,
): Start<Settings> {
  return async ({ files, settings }) => {
    const loaded = files.map(async ({ path, source }) => ({ path, bytes: await source.read() }));
    return (await engine()).load(await Promise.all(loaded), settings, importPeer);
  };
}

/** Starts the engine of a compiled module of this package in a process of its own. */
export function apart<Settings>(path: string, options: ProcessOptions): Start<Settings> {
  return async (model, subject) => {
    const { built, inProcess } = await import('./process/in-process.js');
    return inProcess<Settings>(built(path), options)(model, subject);
  };
}

/** What Drover knows of a foreign runtime. */
export interface Adapter<Settings> {
  readonly id: string;
  /** Its name in messages. */
  readonly title: string;
  readonly formats: readonly string[];
  /** Which files the engine needs, found by the rules of the framework. */
  open(model: ModelFiles & Partial<OpenedModel>): Promise<EngineModel<Settings>>;
  readonly start: Start<Settings>;
}

/** The runtime that an adapter makes of an engine. */
export function adapt<Settings>(adapter: Adapter<Settings>): Runtime<ModelFiles> {
  const { id, title, formats } = adapter;
  return {
    id,
    formats,
    load: async (model) => {
      const subject = { title, file: model.source.name };
      const engine = await telling(subject, async () =>
        adapter.start(await adapter.open(model), subject),
      );
      return loadedModel(engine, subject);
    },
  };
}

function loadedModel(engine: Engine, subject: Subject): LoadedModel {
  const [inputs, outputs] = [engine.inputs.map(toSignature), engine.outputs.map(toSignature)];
  return {
    inputs,
    outputs,
    run: (given) =>
      telling(subject, async () => {
        const fitted = fitInputs(inputs, given, subject.file);
        const results = await engine.run(
          new Map([...fitted].map(([name, value]) => [name, toRaw(value)])),
        );
        return new Map(outputs.map(({ name }, i) => [name, fromRaw(name, results[i])]));
      }),
    dispose: () => engine.dispose(),
  };
}

/** Does what an engine does; its failures become findings. */
async function telling<T>(subject: Subject, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw error instanceof EngineFailure ? findingOf(error, subject) : error;
  }
}

function findingOf({ kind, message, help }: EngineFailure, { title, file }: Subject): DroverError {
  const finding: Finding = {
    message: `${title}: ${message}`,
    origin: { file },
    ...(help !== undefined && { help }),
  };
  switch (kind) {
    case 'not-installed':
      return runtimeDiagnostics.error('not-installed', finding);
    case 'refused':
      return runtimeDiagnostics.error('refused', finding);
    case 'failed':
      return runtimeDiagnostics.error('failed', finding);
  }
}

const asDType = (name: string | undefined) => dtypes.find((known) => known === name);

function toSignature({ name, dtype, shape }: RawSignature): Signature {
  return { name, dtype: asDType(dtype), shape };
}

function toRaw(value: Tensor): RawTensor {
  const { dtype, shape } = value;
  const data = dtype === 'string' ? (value.data as readonly string[]) : encodeTensor(value);
  return { dtype, shape, data };
}

function fromRaw(name: string, value: RawTensor | undefined): Tensor {
  const dtype = asDType(value?.dtype);
  if (value === undefined || dtype === undefined)
    throw new EngineFailure(
      'failed',
      `the output ${JSON.stringify(name)} is no tensor of a known type`,
    );
  const { shape, data } = value;
  return data instanceof Uint8Array ? decodeTensor(data, dtype, shape) : { dtype, shape, data };
}
