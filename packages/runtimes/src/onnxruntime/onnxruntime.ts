import type { ModelFiles, Runtime } from '@drover/core';
import { adapt, apart, here } from '../adapter.js';
import type { ProcessOptions } from '../process-options.js';

/** How onnxruntime runs. */
export interface OnnxruntimeOptions {
  /**
   * Runs it in a Node process of its own, which starts with each model that is loaded and ends with
   * `dispose`; in this process unless told.
   */
  readonly process?: ProcessOptions;
  /** Threads within an operator; onnxruntime's own choice unless told. */
  readonly threads?: number;
  /** Whether operators are fused and constants folded; `all` unless told. */
  readonly optimization?: 'disabled' | 'basic' | 'extended' | 'all';
  /**
   * Paths of external data, relative to the model, that the model names. The files are read through
   * `sibling`. Those named `MODEL.onnx.data` are found alone.
   */
  readonly externalData?: readonly string[];
}

/**
 * onnxruntime, through the package onnxruntime-node. Runs ONNX models that are in
 * the hands of a source: files beside the model are read by Drover's rules. A fault in it ends the
 * process that it runs in.
 */
export function onnxruntime(options: OnnxruntimeOptions = {}): Runtime<ModelFiles> {
  const { threads, optimization = 'all', externalData, process } = options;
  return adapt({
    id: 'onnxruntime',
    title: 'onnxruntime',
    start:
      process === undefined
        ? here(() => import('./engine.js'))
        : apart('onnxruntime/engine.js', process),
    formats: ['onnx'],
    async open({ source, format }) {
      const base = source.name.slice(source.name.lastIndexOf('/') + 1);
      const beside = await source.siblings();
      const paths =
        externalData ??
        (await format?.files?.(source)) ??
        [`${base}.data`, `${base}_data`].filter((path) => beside.includes(path));
      const files = paths.map(async (path) => ({ path, source: await source.sibling(path) }));
      return {
        files: [{ path: base, source }, ...(await Promise.all(files))],
        settings: { threads, optimization },
      };
    },
  });
}
