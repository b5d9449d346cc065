import type { Weight } from '@drover/core';
import type { Form, Layer, Role } from './layer.js';

const turned = (weight: Weight) => weight.transpose([1, 0]);

/**
 * The two linear layers that a recurrence is where a graph has its steps one by one: of the input
 * and of the state, gates as its framework has them.
 */
export function unrolled<P>(layer: Layer<P>): readonly Layer<P>[] {
  // An RNN has one gate, so nothing is put into another order.
  const form = layer.forms.find(({ kind }) => kind === 'RNN');
  if (!form) return [];
  return (['input', 'recurrent'] as const).map((of): Layer<P> => {
    const linear = linearForm(form, `${of} weight`, `${of} bias`);
    return {
      ...layer,
      title: `${layer.title}, ${of}`,
      isReverse: undefined,
      forms: [linear],
    };
  });
}

function linearForm<P>(form: Form<P>, weight: Role, bias: Role): Form<P> {
  const vector = form.parts.get(bias);
  return {
    kind: 'linear',
    convention: form.convention,
    parts: new Map<Role, Weight>([
      ['weight', turned(form.parts.get(weight)!)],
      ...(vector ? ([['bias', vector]] as const) : []),
    ]),
    held: (role, part) =>
      role === 'weight' ? form.held(weight, turned(part)) : form.held(bias, part),
  };
}
