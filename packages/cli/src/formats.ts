import { detectFormat, type Format, type FormatAbout, type Source } from '@drover/core';
import { isNamed } from '@drover/core/format';
import { formats, loadFormats, type ListedFormat } from '@drover/formats';
import { cliDiagnostics } from './diagnostics.js';

/** Names that --from and --to take. */
const formatIds: readonly string[] = formats.map(({ about }) => about.id);

/** The format of the list that goes by a name of a file: the one whose pattern says most. */
function byFileName(name: string): ListedFormat | undefined {
  const longest = ({ about }: ListedFormat) =>
    Math.max(
      0,
      ...about.fileNames.any.flatMap((each) => (isNamed(name, [each]) ? each.length : [])),
    );
  const [likely] = formats.toSorted((a, b) => longest(b) - longest(a));
  return likely && longest(likely) > 0 ? likely : undefined;
}

function listed(name: string): ListedFormat {
  const found = formats.find(({ about }) => about.id === name.toLowerCase());
  if (found) return found;
  throw cliDiagnostics.error('usage', {
    message: `There is no format ${JSON.stringify(name)}; there are ${formatIds.join(', ')}.`,
    origin: { file: '' },
  });
}

/** The format of a name. Throws `cli/usage`. */
export function formatNamed(name: string): Promise<Format> {
  return listed(name).load();
}

/**
 * The format of a file by its content; its name only tells which one to try first. Throws
 * `core/unknown-format`.
 */
export async function formatOf(source: Source): Promise<Format> {
  const likely = await byFileName(source.name)?.load();
  if (likely && (await likely.detect(source)) !== undefined) return likely;
  return detectFormat(source, await loadFormats());
}

/** What is written, and whether the output is a folder. */
export interface Target {
  readonly about: FormatAbout;
  load(): Promise<Format>;
  readonly isFolder: boolean;
}

/**
 * The format to write: from --to, else from the name of the output. A name that says another format
 * than --to is refused, because readers would take the file for what its name says. Throws
 * `cli/unknown-target` and `cli/usage`.
 */
export function targetOf(output: string, to: string | undefined): Target {
  const named = byFileName(output);
  const target = to === undefined ? named : listed(to);
  if (!target)
    throw cliDiagnostics.error('unknown-target', {
      message: `${JSON.stringify(output)} does not tell which format to write.`,
      origin: { file: output },
    });
  if (named && !isNamed(output, target.about.fileNames.any)) {
    throw cliDiagnostics.error('usage', {
      message: `${JSON.stringify(output)} is the name of a model in ${named.about.id}, and --to says ${target.about.id}.`,
      help: 'Give the output another name, or name a folder.',
      origin: { file: output },
    });
  }
  return { ...target, isFolder: named === undefined && output !== '-' };
}

/**
 * The format to write where the output is another of what stands in a format: that one, unless --to
 * or the name of the output says another. Throws as {@link targetOf} does.
 */
export function targetFor(output: string, to: string | undefined, as: Format | undefined): Target {
  return targetOf(output, to ?? (byFileName(output) ? undefined : as?.id));
}
