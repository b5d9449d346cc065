import type { ModelFiles, Runtime, Source } from '@drover/core';
import { adapt } from '../adapter.js';
import type { ProcessOptions } from '../process-options.js';
import { startPython } from './python-engine.js';

/** How real MXNet runs. */
export interface MxnetOptions {
  /**
   * A Python that imports mxnet; the environment's DROVER_MXNET_PYTHON or MXNET_PYTHON unless told.
   */
  readonly python?: string;
  /** How its process is watched. */
  readonly process?: ProcessOptions;
}

/**
 * Real MXNet 1.x, in a Python process of its own that lives until `dispose`. Reads
 * `PREFIX-symbol.json` and its parameters, which are those of the latest epoch beside it unless
 * told. Labels of output layers are not inputs: inference does not read them. Inputs keep the type
 * they are given in, because MXNet infers its types from them; only floats take the precision of
 * the parameters. Shapes are numpy's where the symbol was saved so.
 */
export function mxnet(options: MxnetOptions = {}): Runtime<ModelFiles> {
  const { python, process: watched } = options;
  return adapt({
    id: 'mxnet',
    title: 'MXNet',
    formats: ['mxnet'],
    async open({ source, params: named }) {
      const params = named ?? (await findParams(source));
      return {
        files: [
          { path: 'model-symbol.json', source },
          ...(params ? [{ path: 'model-0000.params', source: params }] : []),
        ],
        settings: { python },
      };
    },
    start: startPython(watched),
  });
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
