import { detectFormat, type Format, type Source } from '@drover/core';
import { cliDiagnostics } from './diagnostics.js';

interface Entry {
  readonly id: string;
  /** Names that a file of this format has. */
  readonly named: RegExp;
  /** Loads the package: a conversion pays for the two formats that it needs. */
  load(): Promise<Format>;
}

const entries: readonly Entry[] = [
  { id: 'onnx', named: /\.onnx$/, load: async () => (await import('@drover/onnx')).onnx },
  { id: 'mxnet', named: /-symbol\.json$/, load: async () => (await import('@drover/mxnet')).mxnet },
  { id: 'tfjs', named: /\.json$/, load: async () => (await import('@drover/tfjs')).tfjs },
];

/** Names that --from and --to take. */
export const formatIds: readonly string[] = entries.map(({ id }) => id);

/** Every format that drover reads and writes. */
export function allFormats(): Promise<readonly Format[]> {
  return Promise.all(entries.map(({ load }) => load()));
}

/** The format of a name. Throws `cli/usage`. */
export async function formatNamed(name: string): Promise<Format> {
  const entry = entries.find(({ id }) => id === name);
  if (entry) return entry.load();
  throw cliDiagnostics.error('usage', {
    message: `There is no format ${JSON.stringify(name)}; there are ${formatIds.join(', ')}.`,
    origin: { file: '' },
  });
}

/**
 * The format of a file by its content; its name only tells which one to try first. Throws
 * `core/unknown-format`.
 */
export async function formatOf(source: Source): Promise<Format> {
  const likely = entries.filter(({ named }) => named.test(source.name));
  for (const { load } of new Set([...likely, ...entries])) {
    const format = await load();
    if (await format.detect(source)) return format;
  }
  return detectFormat(source, await allFormats());
}

/**
 * The format to write and whether the output is a folder: from --to, else from the name of the
 * output. A name that says another format than --to is refused, because readers would take the file
 * for what its name says. Throws `cli/unknown-target` and `cli/usage`.
 */
export async function targetOf(
  output: string,
  to: string | undefined,
): Promise<{ readonly format: Format; readonly isFolder: boolean }> {
  const named = entries.find((entry) => entry.named.test(output));
  const id = to ?? named?.id;
  if (id === undefined)
    throw cliDiagnostics.error('unknown-target', {
      message: `${JSON.stringify(output)} does not tell which format to write.`,
      origin: { file: output },
    });
  const format = await formatNamed(id);
  if (named !== undefined && !entries.find((entry) => entry.id === id)!.named.test(output)) {
    throw cliDiagnostics.error('usage', {
      message: `${JSON.stringify(output)} is the name of a model in ${named.id}, and --to says ${id}.`,
      help: 'Give the output another name, or name a folder.',
      origin: { file: output },
    });
  }
  return { format, isFolder: named === undefined && output !== '-' };
}
