import type { Json } from '@drover/core';
import type { AttributeProto } from '../codec/index.js';

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** An attribute of a foreign node as text for people: tensors and graphs by name only. */
export function attributeJson(attribute: AttributeProto): Json {
  const { name = '', f, i, s, t, g, floats, ints, strings } = attribute;
  // prettier-ignore
  const value =
    f ?? (i === undefined ? undefined : String(i)) ?? (s && text(s)) ?? (t && `tensor ${t.name ?? ''}`) ?? (g && `graph ${g.name ?? ''}`) ??
    (floats && Array.from(floats)) ?? ints?.map(String) ?? strings?.map(text) ?? null;
  return { name, value };
}
