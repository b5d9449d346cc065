import type { JsonValue } from '@drover/core/format';
import { isObject, member, text, type JsonObject } from '../export/json-object.js';
import type { Find } from '../export/translation.js';

const initializers: ReadonlyMap<JsonValue, string> = new Map([
  ['zero', 'zeros'],
  ['one', 'ones'],
  ['uniform', 'random_uniform'],
  ['normal', 'random_normal'],
]);

/** The name of an initializer as Keras 2 and 3 have it. */
export const initializerOf = (value: JsonValue): JsonValue => initializers.get(value) ?? value;

type Arguments = Readonly<Record<string, string>>;

/** Constraints by their names, and Keras 2's names of their arguments. */
const constraints: ReadonlyMap<string, readonly [className: string, args: Arguments]> = new Map<
  string,
  readonly [string, Arguments]
>([
  ['MaxNorm', ['MaxNorm', { m: 'max_value', axis: 'axis' }]],
  ['NonNeg', ['NonNeg', {}]],
  ['UnitNorm', ['UnitNorm', { axis: 'axis' }]],
  [
    'MinMaxNorm',
    ['MinMaxNorm', { low: 'min_value', high: 'max_value', rate: 'rate', axis: 'axis' }],
  ],
]);

/** Regularizers by their names: Keras 1 has several for one. */
const regularizers: ReadonlyMap<string, readonly [className: string, args: Arguments]> = new Map(
  ['L1L2Regularizer', 'WeightRegularizer', 'ActivityRegularizer'].map((name) => [
    name,
    ['L1L2', { l1: 'l1', l2: 'l2' }] as const,
  ]),
);

const objectOf =
  (known: ReadonlyMap<string, readonly [className: string, args: Arguments]>) =>
  (name: string, value: JsonValue, find: Find): JsonValue => {
    if (!isObject(value)) return value;
    const own = text(value, 'name') ?? '';
    const found = known.get(own);
    if (!found) {
      find('training', `has ${name} ${JSON.stringify(own)}, which is left out`);
      return null;
    }
    const [className, args] = found;
    const config: JsonObject = Object.fromEntries(
      Object.entries(args).map(([before, after]) => [after, member(value, before) ?? null]),
    );
    return { class_name: className, config };
  };

/** A regularizer as Keras 2 has it; one that has no counterpart is told, and left out. */
export const regularizerOf = objectOf(regularizers);

/** A constraint as Keras 2 has it; one that has no counterpart is told, and left out. */
export const constraintOf = objectOf(constraints);
