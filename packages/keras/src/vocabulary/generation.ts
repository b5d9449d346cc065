import type { Generation } from './layer-variables.js';

/**
 * The generation of Keras that a file was written by: 3, or 2 for it and what is older, which did
 * not always say.
 */
export const generationOf = (metadata: ReadonlyMap<string, string>): Generation =>
  /^[3-9]/.test(metadata.get('keras_version') ?? '') ? 3 : 2;
