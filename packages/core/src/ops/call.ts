import { checkParameter, invalidBody } from '../constraints/body.js';
import { dtypes } from '../tensor/dtype.js';
import { text } from './attr.js';
import { defineOp, many } from './define-op.js';
import { fixed } from './layout.js';
import { exact } from './rounding.js';

/**
 * A call of a function of the model: a body of its own, because a function of ONNX or TensorFlow
 * has no types before it is called. The body has one parameter for each operand and captures
 * nothing; `function` is the function's name in the source, the same in all its calls.
 */
export const call = defineOp({
  name: 'Call',
  summary: 'The results of the function `function`, whose nodes are the body, for the operands.',
  inputs: { operands: many(...dtypes) },
  outputs: { outputs: many(...dtypes) },
  attrs: { function: text() },
  regions: ['body'],
  constraints: {},
  infer: ({ operands }, _, { regions }) => {
    const body = regions['body'] ?? invalidBody('Call', 'it is missing.');
    if (body.inputs.length !== operands.length)
      invalidBody(
        'Call',
        `it has ${body.inputs.length} parameters for ${operands.length} operands.`,
      );
    operands.forEach((type, i) => checkParameter('Call', body.inputs[i], type));
    return { outputs: body.outputs.map(({ value }) => value.type) };
  },
  evaluate: async ({ operands }, _, { run }) => ({ outputs: await run('body', operands) }),
  layout: fixed('the body takes its parameters as they are'),
  rounding: exact,
  examples: [],
});
