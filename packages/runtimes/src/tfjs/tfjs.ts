import type { DType, ModelFiles, Runtime } from '@drover/core';
import { JsonCursor, parseJson } from '@drover/core/format';
import { adapt, apart, here } from '../adapter.js';
import { EngineFailure, type RawSignature } from '../engine.js';
import type { ProcessOptions } from '../process-options.js';

/** How TensorFlow.js runs. */
export interface TfjsOptions {
  /**
   * Runs it in a Node process of its own, which starts with each model that is loaded and ends with
   * `dispose`; in this process unless told.
   */
  readonly process?: ProcessOptions;
  /**
   * `cpu` has the most kernels, and is slow; `wasm` lacks some, and some of it is wrong. Unless
   * told, `cpu` with those kernels of `wasm` that take most of the time and are known to be right.
   */
  readonly backend?: 'cpu' | 'wasm';
  /**
   * Folder (with a final slash) or URL of the .wasm files of @tensorflow/tfjs-backend-wasm, where
   * its own guess does not do.
   */
  readonly wasmFolder?: string;
}

/** The types that TensorFlow.js computes in, for those that a signature may state. */
// prettier-ignore
const computed: ReadonlyMap<string, DType> = new Map(Object.entries({
  DT_FLOAT: 'float32', DT_DOUBLE: 'float32', DT_HALF: 'float32', DT_INT64: 'int32', DT_INT32: 'int32', DT_INT16: 'int32', DT_INT8: 'int32',
  DT_UINT8: 'int32', DT_UINT16: 'int32', DT_BOOL: 'bool', DT_STRING: 'string', DT_COMPLEX64: 'complex64',
}));

/**
 * TensorFlow.js graph models: model.json with its shards beside it. Inputs and
 * outputs go by the tensor names of the signature, without `:0`.
 */
export function tfjs(options: TfjsOptions = {}): Runtime<ModelFiles> {
  const { backend, wasmFolder, process } = options;
  return adapt({
    id: 'tfjs',
    title: 'TensorFlow.js',
    start:
      process === undefined ? here(() => import('./engine.js')) : apart('tfjs/engine.js', process),
    formats: ['tfjs'],
    async open({ source }) {
      const json = parseJson(new TextDecoder().decode(await source.read()), source.name);
      const root = new JsonCursor(json, source.name);
      if (!root.require('modelTopology').get('node'))
        throw new EngineFailure(
          'refused',
          'this is a layers model, and only graph models run here',
        );
      const paths = root
        .require('weightsManifest')
        .items()
        .flatMap((group) => group.require('paths').items())
        .map((path) => path.string());
      const shards = paths.map(async (path) => ({ path, source: await source.sibling(path) }));
      const signature = root.get('signature') ?? root.get('userDefinedMetadata')?.get('signature');
      return {
        files: [{ path: 'model.json', source }, ...(await Promise.all(shards))],
        settings: {
          inputs: readSignature(signature?.get('inputs')),
          outputs: readSignature(signature?.get('outputs')),
          backend,
          wasmFolder,
        },
      };
    },
  });
}

function readSignature(entries: JsonCursor | undefined): RawSignature[] | undefined {
  const members = entries?.members() ?? [];
  if (members.length === 0) return undefined;
  return members.map(([key, entry]) => {
    const dims = entry.get('tensorShape')?.get('dim')?.items();
    const shape = dims
      ?.map((dim) => Number(dim.require('size').value))
      .map((dim) => (dim >= 0 ? dim : null));
    const scalar =
      entry.get('tensorShape') !== undefined &&
      !entry.get('tensorShape')?.get('unknownRank') &&
      dims === undefined;
    const name = (entry.get('name')?.string() ?? key).replace(/:0$/, '');
    return {
      name,
      dtype: computed.get(String(entry.get('dtype')?.value)),
      shape: scalar ? [] : shape,
    };
  });
}
