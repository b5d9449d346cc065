import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { coreDiagnostics, type ByteSource } from '@drover/core';
import { JsonCursor, parseJson } from '@drover/core/format';
import type { Start, Subject } from '../adapter.js';
import { EngineFailure, messageOf, type Engine, type RawTensor } from '../engine.js';
import { packageFile } from '../process/package-file.js';
import { piecesOf } from '../process/pieces-of.js';
import { RuntimeProcess } from '../process/runtime-process.js';
import type { ProcessOptions } from '../process-options.js';

/** What MXNet is told beside the model: its Python. */
export interface PythonSettings {
  readonly python: string | undefined;
}

/** Starts MXNet in a Python process, which gets the model and all tensors in files. */
export function startPython(options: ProcessOptions | undefined): Start<PythonSettings> {
  return async ({ files, settings }, subject) => {
    const python =
      settings.python ?? process.env['DROVER_MXNET_PYTHON'] ?? process.env['MXNET_PYTHON'];
    if (python === undefined)
      throw new EngineFailure(
        'not-installed',
        'no Python with MXNet is named',
        'Set DROVER_MXNET_PYTHON to the python of an environment with mxnet 1.9.1.',
      );
    const folder = await mkdtemp(join(tmpdir(), 'drover-mxnet-'));
    try {
      const paths = [];
      for (const { path, source } of files) paths.push(await copy(source, join(folder, path)));
      const script = fileURLToPath(packageFile('src/mxnet/run.py'));
      const child = spawn(python, ['-W', 'ignore', script, folder, ...paths], { detached: true });
      const session = new Session(child, subject, folder, options);
      return await session.start().catch(async (error: unknown) => {
        await session.end();
        throw error;
      });
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  };
}

async function copy(source: ByteSource, path: string): Promise<string> {
  const file = await open(path, 'wx');
  try {
    for await (const bytes of piecesOf(source)) await file.writeFile(bytes);
  } finally {
    await file.close();
  }
  return path;
}

/** One Python process with one model. */
class Session {
  readonly #process: RuntimeProcess<string>;
  #requests = 0;

  constructor(
    readonly child: ChildProcessWithoutNullStreams,
    readonly subject: Subject,
    readonly folder: string,
    options: ProcessOptions | undefined,
  ) {
    this.#process = new RuntimeProcess(child, subject, options);
    createInterface(child.stdout).on('line', (line) => this.#process.take(line));
  }

  async start(): Promise<Engine> {
    const declared = await this.#ask('while it loaded the model', 'refused', () => {});
    const signatures = (key: string) =>
      declared
        .require(key)
        .items()
        .map((item) => ({ name: item.string(), dtype: undefined, shape: undefined }));
    return {
      inputs: signatures('inputs'),
      outputs: signatures('outputs'),
      run: (given) => this.#run(given),
      dispose: () => this.end(),
    };
  }

  /** The answer to a request. An error that it tells is a failure of that kind. */
  async #ask(occasion: string, kind: 'refused' | 'failed', send: () => void): Promise<JsonCursor> {
    const { file } = this.subject;
    const answer = new JsonCursor(parseJson(await this.#process.ask(occasion, send), file), file);
    const error = answer.get('error')?.string();
    if (error === undefined) return answer;
    throw new EngineFailure(answer.get('absent') ? 'not-installed' : kind, messageOf(error));
  }

  async #run(given: ReadonlyMap<string, RawTensor>): Promise<RawTensor[]> {
    const output = await mkdtemp(join(this.folder, `${this.#requests++}-`));
    const inputs: { name: string; dtype: string; shape: readonly number[]; file: string }[] = [];
    for (const [name, { dtype, shape, data }] of given) {
      if (!(data instanceof Uint8Array) || dtype.startsWith('complex'))
        throw coreDiagnostics.error('input-type', {
          message: `MXNet takes no ${dtype} for ${JSON.stringify(name)}.`,
          origin: { file: this.subject.file },
        });
      const file = join(output, `${inputs.length}.in`);
      await writeFile(file, data);
      inputs.push({ name, dtype, shape, file });
    }
    const answer = await this.#ask('while it ran the model', 'failed', () => {
      this.child.stdin.write(`${JSON.stringify({ inputs, output })}\n`);
    });
    const outputs = answer
      .require('outputs')
      .items()
      .map(async (one) => ({
        dtype: one.require('dtype').string(),
        shape: one
          .require('shape')
          .items()
          .map((dim) => dim.integer(0)),
        data: await readFile(one.require('file').string()),
      }));
    const results = await Promise.all(outputs);
    await rm(output, { recursive: true, force: true });
    return results;
  }

  async end(): Promise<void> {
    await this.#process.end();
    await rm(this.folder, { recursive: true, force: true });
  }
}
