/** Path of the weight file that belongs to a model file. */
export const weightsPath = (path: string): string => `${path}.weights`;

/** The same, as a path from the folder of the model file. */
export const siblingWeights = (path: string): string =>
  weightsPath(path.slice(path.lastIndexOf('/') + 1));
