import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { isNamed, type Content, type Format, type FormatAbout } from './format.js';

/** The usual name of the main file of a model, or of a checkpoint, in a format. */
export function usualName({ fileNames }: FormatAbout, content: Content): string {
  return content === 'checkpoint'
    ? (fileNames.checkpoint?.usual ?? fileNames.usual)
    : fileNames.usual;
}

/**
 * What is written of a model or of a checkpoint: weights alone where the target holds no graphs,
 * or where the path is the name of a checkpoint.
 */
export function writtenContent(to: Format, content: Content, path: string | undefined): Content {
  const names = to.fileNames.checkpoint?.any ?? [];
  const isModel = to.model?.write && to.model.plan && !(path && isNamed(path, names));
  return isModel ? content : 'checkpoint';
}

/**
 * Checks that a path does not say the other content, for which readers would take the file. Throws
 * `core/incapable`.
 */
export function checkContentName(to: FormatAbout, content: Content, path: string): void {
  const names = to.fileNames.checkpoint?.any;
  if (!names || isNamed(path, names) === (content === 'checkpoint')) return;
  const [is, wanted] =
    content === 'checkpoint'
      ? ['a model', `weights alone are ${names.join(' or ')}`]
      : ['weights alone', `a model is ${to.fileNames.usual}`];
  throw coreDiagnostics.error('incapable', {
    message: `${JSON.stringify(path)} is the name of ${is} in ${to.title}; ${wanted}.`,
    help: 'Give the output another name.',
    origin: { file: path },
  });
}
