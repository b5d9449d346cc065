import { invalidBody } from '../constraints/body.js';
import { canBe } from '../constraints/same-type.js';
import { dtypes } from '../tensor/dtype.js';
import { bodyResults, joinTypes } from '../typing/body.js';
import { defineOp, many, one } from './define-op.js';
import { fixed } from './layout.js';
import { exact } from './rounding.js';

/**
 * One of two bodies without parameters, chosen when the model runs; they have the same number of
 * results, of the same element types.
 */
export const ifElse = defineOp({
  name: 'If',
  summary:
    'The results of the body `then` where `condition` is true, else those of the body `else`.',
  inputs: { condition: one('bool') },
  outputs: { outputs: many(...dtypes) },
  attrs: {},
  regions: ['then', 'else'],
  constraints: {
    C1: {
      says: 'the condition is one element',
      holds: ({ condition }) => canBe(condition) || canBe(condition, 1),
    },
  },
  infer: (_, __, { regions, fresh }) => {
    const unknown = () => fresh('if');
    const [yes, no] = [regions['then'], regions['else']].map((body) =>
      body ? bodyResults(body, 0, [], unknown) : invalidBody('If', 'it is missing.'),
    );
    if (yes!.length !== no!.length)
      invalidBody('If', `one has ${yes!.length} results, the other ${no!.length}.`);
    const outputs = yes!.map((type, i) => {
      if (type.dtype !== no![i]!.dtype)
        invalidBody('If', `result ${i} is ${type.dtype} in one and ${no![i]!.dtype} in the other.`);
      return joinTypes(type, no![i]!, unknown);
    });
    return { outputs };
  },
  evaluate: async ({ condition }, _, { run }) => ({
    outputs: await run(condition.data[0] ? 'then' : 'else', []),
  }),
  layout: fixed('the bodies give their results as they are'),
  rounding: exact,
  examples: [],
});
