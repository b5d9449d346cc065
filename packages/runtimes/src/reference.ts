import { readModel, Report, type Runtime } from '@drover/core';
import { referenceModel } from '@drover/core/format';

/**
 * The reference: core's evaluator, which computes every float type in float64. It runs whatever can
 * be read, and throws `core/not-evaluable` or what reading throws for the rest.
 */
export function reference(): Runtime {
  return {
    id: 'reference',
    formats: undefined,
    load: async (model, report = new Report()) =>
      referenceModel((await readModel(model, report)).graph, model.source.name),
  };
}
