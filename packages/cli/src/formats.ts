import type { Format } from '@drover/core';
import { mxnet } from '@drover/mxnet';
import { onnx } from '@drover/onnx';
import { tfjs } from '@drover/tfjs';
import { cliDiagnostics } from './diagnostics.js';

/** Every format that drover reads and writes, in the order in which a file is tried. */
export const formats: readonly Format[] = [onnx, tfjs, mxnet];

/** The format of a name. Throws `cli/usage`. */
export function formatNamed(name: string): Format {
  const format = formats.find(({ id }) => id === name);
  if (format) return format;
  throw cliDiagnostics.error('usage', { message: `There is no format ${JSON.stringify(name)}; there are ${formats.map(({ id }) => id).join(', ')}.`, origin: { file: '' } });
}

/** The format to write and whether the output is a folder: from --to, else from the name of the output. */
export function targetOf(output: string, to: string | undefined): { readonly format: Format; readonly isFolder: boolean } {
  const named = /\.onnx$/.test(output) ? 'onnx' : /-symbol\.json$/.test(output) ? 'mxnet' : /\.json$/.test(output) ? 'tfjs' : undefined;
  const format = to ?? named;
  if (format !== undefined) return { format: formatNamed(format), isFolder: named === undefined && output !== '-' };
  throw cliDiagnostics.error('unknown-target', { message: `${JSON.stringify(output)} does not tell which format to write.`, origin: { file: output } });
}
