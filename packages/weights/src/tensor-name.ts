import { leafNames } from './conventions.js';

/** What a tensor's name says of its layer. */
export interface TensorName {
  /** Components of the layer's name. */
  readonly path: readonly string[];
  /** What the tensor is there, in small letters: `weight`. */
  readonly leaf: string;
  /** The layer of a recurrence with several, and whether it is the backward direction of it. */
  readonly layer?: number;
  readonly isReverse?: boolean;
}

const torchRecurrence = /^(weight_ih|weight_hh|bias_ih|bias_hh)_l(\d+)(_reverse)?$/;
const gluonRecurrence = /^(?:(.*)_)?([lr])(\d+)_(i2h_weight|h2h_weight|i2h_bias|h2h_bias)$/;

/** Of leaves that end alike, the longest: `running_mean`, not `mean`. */
const longestFirst = [...leafNames].toSorted((a, b) => b.length - a.length);

/**
 * Takes a tensor's name apart, as PyTorch (`layer1.0.conv.weight`), Keras and TensorFlow
 * (`block/conv/kernel:0`), TensorFlow checkpoints (`…/.ATTRIBUTES/VARIABLE_VALUE`) and MXNet
 * (`arg:stage1_conv0_weight`) make them. undefined: it does not end as a layer's tensor does.
 */
export function parseTensorName(name: string): TensorName | undefined {
  const plain = name
    .replace(/^(arg|aux):/, '')
    .replace(/\/\.ATTRIBUTES\/VARIABLE_VALUE$/, '')
    .replace(/:\d+$/, '');
  const parts = plain.split(/[./]/);
  const [path, last] = [parts.slice(0, -1), parts.at(-1)!.toLowerCase()];
  const torch = torchRecurrence.exec(last);
  if (torch)
    return { path, leaf: torch[1]!, layer: Number(torch[2]), isReverse: torch[3] !== undefined };
  const gluon = gluonRecurrence.exec(last);
  if (gluon)
    return {
      path: gluon[1] ? [...path, gluon[1]] : path,
      leaf: gluon[4]!,
      layer: Number(gluon[3]),
      isReverse: gluon[2] === 'r',
    };
  if (leafNames.has(last)) return { path, leaf: last };
  const leaf = longestFirst.find((each) => last.endsWith(`_${each}`));
  if (leaf === undefined) return undefined;
  return { path: [...path, parts.at(-1)!.slice(0, -leaf.length - 1)], leaf };
}
