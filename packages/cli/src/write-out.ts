import { basename, join } from 'node:path';
import type { Diagnostic, Format, Sink } from '@drover/core';
import { usualName, writtenContent, type Content } from '@drover/core/format';
import { loadFormats } from '@drover/formats';
import { outputFile, outputFolder, ownFiles, type WrittenFile } from '@drover/node';
import { cliDiagnostics } from './diagnostics.js';
import type { Target } from './formats.js';
import { step } from './progress.js';

/** Where the command writes. */
export interface Output {
  /** As the user named it: a file, a folder, or - for standard output. */
  readonly path: string;
  readonly target: Target;
  readonly content: Content;
  /** Files that are replaced. */
  readonly replaces: readonly string[];
}

/** An output of some content; with `force`, in the place of what stands there. */
export async function outputAt(
  path: string,
  target: Target,
  content: Content,
  force: boolean,
): Promise<Output> {
  const output = { path, target, content, replaces: [] };
  const isReplaced = force && path !== '-';
  return isReplaced
    ? { ...output, replaces: await ownFiles(mainFile(output), await loadFormats()) }
    : output;
}

/** What becomes of a model or a checkpoint in a format, at the path of an output. */
export async function contentAt(path: string, target: Target, content: Content): Promise<Content> {
  return writtenContent(await target.load(), content, target.isFolder ? undefined : path);
}

/** What was written. */
export interface WrittenOut<R> {
  readonly result: R;
  readonly files: readonly WrittenFile[];
  /** Tells which files of what was replaced are gone. */
  readonly diagnostics: readonly Diagnostic[];
}

/** The main file of an output. */
export const mainFile = ({ path, target, content }: Output): string =>
  target.isFolder ? join(path, usualName(target.about, content)) : path;

/** Says which files of the model that was replaced are gone, the first of them by name. */
function removal(main: string, removed: readonly string[]) {
  const names = removed.slice(0, 8).map((path) => JSON.stringify(path));
  const more = removed.length > names.length ? ` and ${removed.length - names.length} more` : '';
  return cliDiagnostics.diagnostic('removed', {
    message: `Files of the model that was replaced are removed: ${names.join(', ')}${more}.`,
    origin: { file: main },
  });
}

/**
 * Writes an output, all or nothing, and tells how far it is. `write` is given the format, where to
 * write, and the name of the main file.
 */
export async function writeOut<R>(
  output: Output,
  title: string,
  write: (format: Format, sink: Sink, path: string | undefined) => Promise<R>,
): Promise<WrittenOut<R>> {
  const { path, target, replaces } = output;
  const format = await target.load();
  return step(title, async (tell) => {
    const sink = target.isFolder
      ? outputFolder(path, { replaces })
      : outputFile(path, { replaces });
    let bytes = 0;
    const counted: Sink = {
      create: async (name: string) => {
        const file = await sink.create(name);
        const put = (part: Uint8Array) => {
          tell(`${((bytes += part.length) / 1e6).toFixed(1)} MB written`);
          return file.write(part);
        };
        return { write: put, close: () => file.close() };
      },
      ...(sink.standing && { standing: (name: string) => sink.standing!(name) }),
      commit: () => sink.commit(),
      abort: () => sink.abort(),
    };
    const name = target.isFolder || path === '-' ? undefined : basename(path);
    const result = await write(format, counted, name);
    const { written: files, removed } = sink;
    const diagnostics = removed.length > 0 ? [removal(mainFile(output), removed)] : [];
    return { result, files, diagnostics };
  });
}

/** What was written, for people: files, bytes, time since `started`. */
export function writtenText(files: readonly WrittenFile[], started: number): string {
  const size = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const what = files.length === 1 ? 'one file' : `${files.length} files`;
  const seconds = (performance.now() - started) / 1000;
  return `${what}, ${size.toLocaleString('en')} bytes, ${seconds.toFixed(2)} s`;
}
