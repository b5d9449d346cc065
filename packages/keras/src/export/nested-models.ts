import type { JsonValue } from '@drover/core/format';
import { isObject, member, text } from './json-object.js';

/**
 * The models among the layers of a model, by their names, and how each counts its calls: Keras 2
 * counts the one by which the model was made, from which Keras 3 counts on. Keras 3 does so for
 * tensors that layers take, and where the model has them as outputs, for sequences alone.
 */
export class NestedModels {
  readonly #classes: ReadonlyMap<string, string>;

  /** @param shift What is added to a count of the source: -1 towards Keras 3, 1 towards Keras 2,
   *   0 within one. */
  constructor(
    layers: JsonValue | undefined,
    private readonly shift: 1 | 0 | -1,
  ) {
    const listed = Array.isArray(layers) ? (layers as readonly JsonValue[]) : [];
    this.#classes = new Map(
      listed.flatMap((layer) => {
        const className = isObject(layer) ? text(layer, 'class_name') : undefined;
        if (!isObject(layer) || !/^(Functional|Model|Sequential)$/.test(className ?? '')) return [];
        const config = member(layer, 'config');
        const name = text(layer, 'name') ?? (isObject(config) ? text(config, 'name') : undefined);
        return name === undefined ? [] : [[name, className!] as const];
      }),
    );
  }

  /** The number of a call whose result a layer takes. */
  callOf(layer: string, call: number): number {
    return this.#classes.has(layer) ? call + this.shift : call;
  }

  /** The outputs of the model that holds them: layer, call and result each, nested as they are. */
  outputs(value: JsonValue): JsonValue {
    if (!Array.isArray(value)) return value;
    const [layer, call, ...more] = value as readonly JsonValue[];
    if (typeof layer !== 'string' || typeof call !== 'number')
      return value.map((each: JsonValue) => this.outputs(each));
    const isMoved = this.#classes.get(layer) === 'Sequential';
    return [layer, isMoved ? call + this.shift : call, ...more];
  }
}
