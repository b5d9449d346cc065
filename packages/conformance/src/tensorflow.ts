import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  runtimeDiagnostics,
  type LoadedModel,
  type ModelFiles,
  type Runtime,
  type Signature,
  type Source,
} from '@drover/core';
import { JsonCursor } from '@drover/core/format';
import { openFile } from '@drover/node';
import { encodeNpz, readArrays } from '@drover/numpy/codec';

/**
 * Real TensorFlow as a runtime of graph models: what TF.js lets pass, its own kernels may refuse.
 */
export interface Tensorflow extends Runtime<ModelFiles> {
  /** Ends the Python process. */
  end(): void;
}

const failed = (message: string) =>
  runtimeDiagnostics.error('failed', { message: `TensorFlow: ${message}`, origin: { file: '' } });

/**
 * One Python process for all models. Running throws `runtimes/failed` with what TensorFlow says.
 */
export function tensorflow(python: string): Tensorflow {
  let process: ChildProcessWithoutNullStreams | undefined;
  const waiting: {
    readonly resolve: (line: string) => void;
    readonly reject: (error: Error) => void;
  }[] = [];
  let talk = '';
  const start = () => {
    process = spawn(
      python,
      ['-W', 'ignore', fileURLToPath(new URL('run-graph-model.py', import.meta.url))],
      { stdio: 'pipe' },
    );
    process.stderr.on('data', (chunk: Buffer) => (talk = (talk + chunk.toString()).slice(-4000)));
    process.on('close', () =>
      waiting.splice(0).forEach(({ reject }) => reject(failed(`the process ended. ${talk}`))),
    );
    createInterface(process.stdout).on(
      'line',
      (line) => line.startsWith('{') && waiting.shift()?.resolve(line),
    );
    return process;
  };
  const ask = async (request: object): Promise<void> => {
    const answer = new Promise<string>((resolve, reject) => waiting.push({ resolve, reject }));
    (process ?? start()).stdin.write(`${JSON.stringify(request)}\n`);
    const { error } = JSON.parse(await answer) as { readonly error?: string };
    if (error !== undefined) throw failed(error);
  };
  return {
    id: 'tensorflow',
    formats: ['tfjs'],
    load: ({ source }) => load(source, ask),
    end: () => process?.kill(),
  };
}

/** Copies a model and its weights into a folder, where TensorFlow reads them. */
async function load(source: Source, ask: (request: object) => Promise<void>): Promise<LoadedModel> {
  const folder = mkdtempSync(join(tmpdir(), 'drover-tensorflow-'));
  const bytes = await source.read();
  writeFileSync(join(folder, 'model.json'), bytes);
  const document = new JsonCursor(
    JSON.parse(new TextDecoder().decode(bytes)) as never,
    source.name,
  );
  for (const group of document.require('weightsManifest').items())
    for (const path of group.require('paths').items())
      writeFileSync(
        join(folder, path.string()),
        await (await source.sibling(path.string())).read(),
      );
  const side = (key: 'inputs' | 'outputs') =>
    document
      .require('signature')
      .require(key)
      .members()
      .map(([, entry]): Signature => ({
        name: entry.require('name').string().replace(/:0$/, ''),
        dtype: undefined,
        shape: undefined,
      }));
  return {
    inputs: side('inputs'),
    outputs: side('outputs'),
    run: async (given) => {
      const [inputs, outputs] = [join(folder, 'in.npz'), join(folder, 'out.npz')];
      writeFileSync(inputs, await encodeNpz(given));
      await ask({ model: join(folder, 'model.json'), inputs, outputs });
      const file = await openFile(outputs);
      const arrays = await readArrays(file);
      file.close();
      return new Map([...arrays].map(([name, value]) => [name.replace(/:0$/, ''), value]));
    },
    dispose: async () => rmSync(folder, { recursive: true, force: true }),
  };
}
