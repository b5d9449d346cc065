/** How a field's values are typed in a `.proto` file; `enum` and `message` for declared types. */
export type FieldKind =
  | ('int32' | 'int64' | 'uint32' | 'uint64' | 'sint32' | 'sint64' | 'bool' | 'enum')
  | ('fixed32' | 'sfixed32' | 'float' | 'fixed64' | 'sfixed64' | 'double')
  | ('string' | 'bytes' | 'message');

/** How one value stands on the wire: 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes. */
export type WireType = 0 | 1 | 2 | 5;

/** One field of a message, as the schema declares it. */
export interface Field {
  readonly number: number;
  /** Camel case, as the decoded object spells it. */
  readonly name: string;
  readonly kind: FieldKind;
  readonly repeated?: true;
  /** Repeated numbers in one length-delimited block, by the schema; decoding takes both forms. */
  readonly packed?: true;
  /** Name of the message type of a `message` field. */
  readonly message?: string;
  /** Name of the group of fields of which one at most is set. */
  readonly oneof?: string;
  /**
   * Large content of a field of bytes or of packed numbers is left in the file: the decoded value
   * is a `ByteHandle` of what stands there.
   */
  readonly lazy?: true;
}

/** A field with what decoding and encoding look up for every value. */
export interface FieldType extends Field {
  /** Name of the message and the field, for findings. */
  readonly path: string;
  readonly wireType: WireType;
  /** Tag before a value in its wire type. */
  readonly tag: number;
  /** Tag before a length-delimited block. */
  readonly blockTag: number;
  /** Type of a message field's value. */
  readonly type: MessageType | undefined;
  /** Other fields of its oneof group, which setting it clears. */
  readonly rivals: readonly string[];
}

/** A message with its fields in ascending order and by number. */
export interface MessageType {
  readonly name: string;
  readonly fields: readonly FieldType[];
  readonly byNumber: ReadonlyMap<number, FieldType>;
}

// prettier-ignore
const wireTypes: Readonly<Record<FieldKind, WireType>> = {
  int32: 0, int64: 0, uint32: 0, uint64: 0, sint32: 0, sint64: 0, bool: 0, enum: 0,
  fixed64: 1, sfixed64: 1, double: 1,
  string: 2, bytes: 2, message: 2,
  fixed32: 5, sfixed32: 5, float: 5,
};

/**
 * The messages of a format, made from a table of the fields of each in ascending order of their
 * numbers. `Messages` is the type that each name stands for. A `map<K, V>` is a repeated message of
 * the fields 1 `key` and 2 `value`, as the language defines it.
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export class Schema<Messages> {
  readonly #types: ReadonlyMap<string, MessageType>;

  constructor(fields: Readonly<Record<keyof Messages & string, readonly Field[]>>) {
    const table = new Map(Object.entries<readonly Field[]>(fields));
    // Messages refer to one another, so their types exist before their fields do.
    const types = new Map(
      [...table.keys()].map((name) => [
        name,
        { name, fields: [] as FieldType[], byNumber: new Map<number, FieldType>() },
      ]),
    );
    for (const [name, type] of types) {
      const declared = table.get(name)!;
      for (const field of declared) {
        const rivals = declared.filter(
          (other) => other.oneof !== undefined && other.oneof === field.oneof && other !== field,
        );
        const wireType = wireTypes[field.kind];
        const entry: FieldType = {
          ...field,
          path: `${name}.${field.name}`,
          wireType,
          // Shifting would make the tags of the largest numbers negative.
          tag: field.number * 8 + wireType,
          blockTag: field.number * 8 + 2,
          type: field.message === undefined ? undefined : types.get(field.message),
          rivals: rivals.map((other) => other.name),
        };
        type.fields.push(entry);
        type.byNumber.set(field.number, entry);
      }
    }
    this.#types = types;
  }

  /** The type of a message by its name. */
  type(name: keyof Messages & string): MessageType {
    return this.#types.get(name)!;
  }
}
