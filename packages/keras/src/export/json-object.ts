import type { JsonValue } from '@drover/core/format';

/** An object of JSON. Its members are looked up with {@link member} only. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** Whether a value is an object, and no list. */
export const isObject = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A member of an object's own. */
export const member = (object: JsonObject, key: string): JsonValue | undefined =>
  new Map(Object.entries(object)).get(key);

/** A member that is a text. */
export function text(object: JsonObject, key: string): string | undefined {
  const value = member(object, key);
  return typeof value === 'string' ? value : undefined;
}
