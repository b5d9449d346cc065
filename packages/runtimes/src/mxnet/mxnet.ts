import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  coreDiagnostics,
  decodeTensor,
  dtypes,
  encodeTensor,
  runtimeDiagnostics,
  type LoadedModel,
  type ModelFiles,
  type Runtime,
  type Signature,
  type Source,
  type Tensor,
} from '@drover/core';
import { fitInputs, JsonCursor, parseJson } from '@drover/core/format';
import { messageOf } from '../import-peer.js';

/** How real MXNet runs. */
export interface MxnetOptions {
  /**
   * A Python that imports mxnet; the environment's DROVER_MXNET_PYTHON or MXNET_PYTHON unless told.
   */
  readonly python?: string;
}

const copyBytes = 2 ** 24;

/**
 * Real MXNet 1.x, in a Python process of its own that lives until `dispose`. Reads
 * `PREFIX-symbol.json` and its parameters, which are those of the latest epoch beside it unless
 * told. Labels of output layers are not inputs: inference does not read them. Inputs keep the type
 * they are given in, because MXNet infers its types from them; only floats take the precision of
 * the parameters.
 */
export function mxnet(options: MxnetOptions = {}): Runtime<ModelFiles> {
  return { id: 'mxnet', formats: ['mxnet'], load: (model) => load(model, options) };
}

async function load(
  { source, params: named }: ModelFiles,
  options: MxnetOptions,
): Promise<LoadedModel> {
  const python =
    options.python ?? process.env['DROVER_MXNET_PYTHON'] ?? process.env['MXNET_PYTHON'];
  if (python === undefined) {
    throw runtimeDiagnostics.error('not-installed', {
      message: 'No Python with MXNet is named.',
      help: 'Set DROVER_MXNET_PYTHON to the python of an environment with mxnet 1.9.1.',
      origin: { file: source.name },
    });
  }
  const folder = await mkdtemp(join(tmpdir(), 'drover-mxnet-'));
  try {
    const params = named ?? (await findParams(source));
    const symbolFile = await copy(source, join(folder, 'model-symbol.json'));
    const paramsFile = params ? await copy(params, join(folder, 'model-0000.params')) : '';
    const session = new Session(python, [symbolFile, paramsFile], source.name, folder);
    const declared = await session.start();
    const names = (key: string) =>
      declared
        .require(key)
        .items()
        .map((item): Signature => ({ name: item.string(), dtype: undefined, shape: undefined }));
    const inputs = names('inputs');
    return {
      inputs,
      outputs: names('outputs'),
      run: (given) => session.run(fitInputs(inputs, given, source.name)),
      dispose: () => session.end(),
    };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** The parameters of the latest epoch beside a symbol file. A network without weights has none. */
async function findParams(source: Source): Promise<Source | undefined> {
  const base = source.name.slice(source.name.lastIndexOf('/') + 1);
  const prefix = base.replace(/-symbol\.json$/, '');
  const own = (await source.siblings()).filter(
    (name) =>
      name.startsWith(`${prefix}-`) && /^\d{4}\.params$/.test(name.slice(prefix.length + 1)),
  );
  const latest = own.sort().at(-1);
  return latest === undefined ? undefined : source.sibling(latest);
}

async function copy(source: Source, path: string): Promise<string> {
  const file = await open(path, 'wx');
  try {
    for (let offset = 0; offset < source.size; offset += copyBytes) {
      await file.writeFile(
        await source.read({ offset, length: Math.min(copyBytes, source.size - offset) }),
      );
    }
  } finally {
    await file.close();
  }
  return path;
}

/** One Python process with one model. Requests are answered in order. */
class Session {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: Interface;
  readonly #waiting: {
    readonly resolve: (line: string) => void;
    readonly reject: (error: Error) => void;
  }[] = [];
  #talk = '';
  #ended: Error | undefined;
  #requests = 0;

  constructor(
    python: string,
    parameters: readonly string[],
    readonly file: string,
    readonly folder: string,
  ) {
    // From src as well as from dist, the script lies in src.
    const script = fileURLToPath(new URL('../../src/mxnet/run.py', import.meta.url));
    this.#process = spawn(python, ['-W', 'ignore', script, ...parameters], { stdio: 'pipe' });
    this.#process.on('error', (error) =>
      this.#fail(`${python} does not start: ${messageOf(error)}`),
    );
    this.#process.on('close', () => this.#fail(this.#talk.trim().split('\n').at(-1) ?? ''));
    this.#process.stdin.on('error', () => {}); // The close event tells.
    this.#process.stderr.on(
      'data',
      (chunk: Buffer) => (this.#talk = (this.#talk + chunk.toString()).slice(-4000)),
    );
    this.#lines = createInterface(this.#process.stdout);
    this.#lines.on('line', (line) => {
      // The library prints, too.
      if (line.startsWith('{')) this.#waiting.shift()?.resolve(line);
    });
  }

  #fail(message: string): void {
    const name = /No module named|does not start/.test(message) ? 'not-installed' : 'failed';
    this.#ended ??= runtimeDiagnostics.error(name, {
      message: `MXNet: ${message || 'the process ended'}`,
      origin: { file: this.file },
    });
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ended);
  }

  async #answer(kind: 'refused' | 'failed'): Promise<JsonCursor> {
    const line = await new Promise<string>((resolve, reject) => {
      if (this.#ended) reject(this.#ended);
      else this.#waiting.push({ resolve, reject });
    });
    const answer = new JsonCursor(parseJson(line, this.file), this.file);
    const error = answer.get('error')?.string();
    if (error !== undefined)
      throw runtimeDiagnostics.error(kind, {
        message: `MXNet: ${messageOf(error)}`,
        origin: { file: this.file },
      });
    return answer;
  }

  start(): Promise<JsonCursor> {
    return this.#answer('refused');
  }

  async run(given: ReadonlyMap<string, Tensor>): Promise<Map<string, Tensor>> {
    const output = await mkdtemp(join(this.folder, `${this.#requests++}-`));
    const inputs = [];
    for (const [name, value] of given) {
      if (value.dtype === 'string' || value.dtype.startsWith('complex')) {
        throw coreDiagnostics.error('input-type', {
          message: `MXNet takes no ${value.dtype} for ${JSON.stringify(name)}.`,
          origin: { file: this.file },
        });
      }
      const file = join(output, `${inputs.length}.in`);
      await writeFile(file, encodeTensor(value));
      inputs.push({ name, dtype: value.dtype, shape: value.shape, file });
    }
    const answer = this.#answer('failed');
    this.#process.stdin.write(`${JSON.stringify({ inputs, output })}\n`);
    const outputs = new Map<string, Tensor>();
    for (const one of (await answer).require('outputs').items()) {
      const dtype = dtypes.find((known) => known === one.require('dtype').string());
      if (dtype === undefined)
        throw coreDiagnostics.error('invalid-shape', {
          message: 'MXNet gave an unknown type.',
          origin: { file: this.file },
        });
      const shape = one
        .require('shape')
        .items()
        .map((dim) => dim.integer(0));
      outputs.set(
        one.require('name').string(),
        decodeTensor(await readFile(one.require('file').string()), dtype, shape),
      );
    }
    await rm(output, { recursive: true, force: true });
    return outputs;
  }

  async end(): Promise<void> {
    const closed =
      this.#process.exitCode === null && this.#process.signalCode === null
        ? new Promise((resolve) => this.#process.once('close', resolve))
        : undefined;
    this.#process.stdin.end();
    await closed;
    this.#lines.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}
