import { coreDiagnostics, type DroverError } from '@drover/core';
import type { JsonCursor, JsonValue } from '@drover/core/format';
import {
  tensorFields,
  type AttrList,
  type AttrValue,
  type ByteString,
  type Int64,
  type NameAttrList,
  type TensorField,
  type TensorProto,
  type TensorShape,
  type TensorValues,
} from './graph-def.js';
import {
  decodeBytes,
  decodeByteString,
  decodeDataType,
  decodeDouble,
  decodeFloat,
  decodeInt32,
  decodeInt64,
  encodeBytes,
  encodeDouble,
  encodeFloat,
} from './json-scalar.js';

/** A JSON object under construction. */
export type JsonMembers = Record<string, JsonValue>;

/** The members that a structure does not name, kept to be written back. */
export function extraOf(
  json: JsonCursor,
  known: ReadonlySet<string>,
): ReadonlyMap<string, JsonValue> {
  return new Map(
    json.members().flatMap(([key, item]) => (known.has(key) ? [] : [[key, item.value] as const])),
  );
}

/**
 * An object with the members that are not undefined, then the kept ones. Keys such as `__proto__`
 * stay own properties.
 */
export function objectOf(
  members: Readonly<Record<string, JsonValue | undefined>>,
  extra: ReadonlyMap<string, JsonValue> = new Map(),
): JsonMembers {
  return Object.fromEntries([
    ...Object.entries(members).filter(
      (member): member is [string, JsonValue] => member[1] !== undefined,
    ),
    ...extra,
  ]);
}

/** A map as a JSON object. */
export function recordOf<T>(
  map: ReadonlyMap<string | number, T>,
  encode: (value: T) => JsonValue,
): JsonMembers {
  return Object.fromEntries([...map].map(([key, value]) => [String(key), encode(value)]));
}

/** A repeated field: left out of protobuf's JSON when it is empty. */
export function repeated<T>(
  items: readonly T[],
  encode: (item: T) => JsonValue,
): JsonValue | undefined {
  return items.length === 0 ? undefined : items.map(encode);
}

/** A TensorShapeProto. Throws `core/json`. */
export function decodeShape(json: JsonCursor): TensorShape {
  if (json.get('unknownRank')?.boolean()) return { dims: null };
  const items = json.get('dim')?.items() ?? [];
  const dims = items.map((item) => {
    const size = item.get('size');
    return size === undefined ? 0 : decodeInt64(size);
  });
  const names = items.map((item) => item.get('name')?.string() ?? '');
  return names.some((name) => name !== '') ? { dims, dimNames: names } : { dims };
}

/** The inverse of {@link decodeShape}. */
export function encodeShape({ dims, dimNames }: TensorShape): JsonMembers {
  if (dims === null) return { unknownRank: true };
  const dim = repeated(
    dims.map((size, i) => ({ size, name: dimNames?.[i] ?? '' })),
    ({ size, name }) =>
      objectOf({
        size: size === 0 ? undefined : String(size),
        name: name === '' ? undefined : name,
      }),
  );
  return objectOf({ dim });
}

/** How one element of each typed list is read and written. */
const items: Readonly<
  Record<
    TensorField,
    readonly [(json: JsonCursor) => Int64 | boolean | ByteString, (value: never) => JsonValue]
  >
> = {
  floatVal: [decodeFloat, encodeFloat],
  doubleVal: [decodeDouble, encodeDouble],
  intVal: [decodeInt32, (value: number) => value],
  stringVal: [decodeByteString, encodeBytes],
  scomplexVal: [decodeFloat, encodeFloat],
  int64Val: [decodeInt64, String],
  boolVal: [(json) => json.boolean(), (value: boolean) => value],
  dcomplexVal: [decodeDouble, encodeDouble],
  halfVal: [decodeInt32, (value: number) => value],
  uint32Val: [decodeInt32, (value: number) => value],
  uint64Val: [decodeInt64, String],
};
const tensorKeys: ReadonlySet<string> = new Set([
  'dtype',
  'tensorShape',
  'tensorContent',
  ...tensorFields,
]);

/** A TensorProto; at most one typed list may have elements. Throws `core/json`. */
function decodeTensorProto(json: JsonCursor): TensorProto {
  const filled = tensorFields.filter((field) => (json.get(field)?.items().length ?? 0) > 0);
  if (filled.length > 1) throw json.error(`has elements in ${filled.join(' and ')}`);
  const dtype = json.get('dtype');
  const shape = json.get('tensorShape');
  const content = json.get('tensorContent');
  const values: TensorValues | undefined = filled[0] && {
    field: filled[0],
    items: json.require(filled[0]).items().map(items[filled[0]][0]),
  };
  return {
    dtype: dtype === undefined ? 'DT_INVALID' : decodeDataType(dtype),
    shape: shape === undefined ? { dims: [] } : decodeShape(shape),
    ...(content === undefined ? {} : { content: decodeBytes(content) }),
    ...(values === undefined ? {} : { values }),
    extra: extraOf(json, tensorKeys),
  };
}

/** The inverse of {@link decodeTensorProto}. */
function encodeTensorProto({ dtype, shape, content, values, extra }: TensorProto): JsonMembers {
  const list = values && {
    [values.field]: values.items.map((item) => items[values.field][1](item as never)),
  };
  return objectOf(
    {
      dtype: dtype === 'DT_INVALID' ? undefined : dtype,
      tensorShape: encodeShape(shape),
      tensorContent: content && encodeBytes(content),
      ...list,
    },
    extra,
  );
}

function decodeFunc(json: JsonCursor): NameAttrList {
  const attrs = json.get('attr');
  return {
    name: json.get('name')?.string() ?? '',
    attrs: attrs === undefined ? new Map() : decodeAttrs(attrs),
  };
}

function encodeFunc({ name, attrs }: NameAttrList): JsonMembers {
  return objectOf({
    name: name === '' ? undefined : name,
    attr: attrs.size === 0 ? undefined : encodeAttrs(attrs),
  });
}

/** How a single value and an element of a list are read, by the name of the field. */
const kinds: ReadonlyMap<string, (json: JsonCursor) => unknown> = new Map<
  Kind,
  (json: JsonCursor) => unknown
>([
  ['s', decodeByteString],
  ['i', decodeInt64],
  ['f', decodeFloat],
  ['b', (json) => json.boolean()],
  ['type', decodeDataType],
  ['shape', decodeShape],
  ['tensor', decodeTensorProto],
  ['func', decodeFunc],
]);
type Kind = Exclude<AttrList['of'], 'none'>;

/** The value of an attribute. Throws `core/json`. */
function decodeAttr(json: JsonCursor): AttrValue {
  const fields = json.members().map(([key]) => key);
  if (fields.length === 0) return { kind: 'none' };
  const [kind] = fields;
  const at = json.get(kind!);
  if (fields.length > 1 || at === undefined)
    throw json.error(`is not one value but ${fields.length} (${fields.slice(0, 4).join(', ')})`);
  if (kind === 'list') return decodeList(at);
  if (kind === 'placeholder') return { kind, value: at.string() };
  const decode = kinds.get(kind!);
  if (!decode) throw json.error(`has the unknown kind ${JSON.stringify(kind)}`);
  return { kind, value: decode(at) } as AttrValue;
}

function decodeList(json: JsonCursor): AttrList {
  const fields = json.members().filter(([, item]) => item.items().length > 0);
  if (fields.length > 1) throw json.error('mixes kinds of elements');
  const [kind, list] = fields[0] ?? [];
  if (kind === undefined || list === undefined) return { kind: 'list', of: 'none', values: [] };
  const decode = kinds.get(kind);
  if (!decode) throw json.error(`has elements of the unknown kind ${JSON.stringify(kind)}`);
  return { kind: 'list', of: kind, values: list.items().map(decode) } as AttrList;
}

const encoders: Readonly<Record<Kind, (value: never) => JsonValue>> = {
  s: encodeBytes,
  i: String,
  f: encodeFloat,
  b: (value: boolean) => value,
  type: (value: string) => value,
  shape: encodeShape,
  tensor: encodeTensorProto,
  func: encodeFunc,
};

/**
 * The inverse of {@link decodeAttr}, as protobuf prints it: base64, 64-bit integers as text, empty
 * lists as `{}`.
 */
function encodeAttr(attr: AttrValue): JsonMembers {
  switch (attr.kind) {
    case 'none':
      return {};
    case 'placeholder':
      return { placeholder: attr.value };
    case 'list':
      return {
        list:
          attr.of === 'none'
            ? {}
            : objectOf({
                [attr.of]: repeated<unknown>(attr.values, (value) =>
                  encoders[attr.of as Kind](value as never),
                ),
              }),
      };
    default:
      return { [attr.kind]: encoders[attr.kind](attr.value as never) };
  }
}

/** A map of attributes; their names are kept as they are. */
export function decodeAttrs(json: JsonCursor): ReadonlyMap<string, AttrValue> {
  return new Map(json.members().map(([name, value]) => [name, decodeAttr(value)]));
}

/** The inverse of {@link decodeAttrs}. */
export function encodeAttrs(attrs: ReadonlyMap<string, AttrValue>): JsonMembers {
  return recordOf(attrs, encodeAttr);
}

/** The error that two things of a graph have one name. */
export function duplicateError(json: JsonCursor, message: string, node?: string): DroverError {
  return coreDiagnostics.error('duplicate', {
    message,
    origin: { file: json.file, pointer: json.pointer, ...(node === undefined ? {} : { node }) },
  });
}
