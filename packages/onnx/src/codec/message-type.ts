import { fields } from '../schema/fields.js';
import type { Field } from '../schema/message.js';
import type { Messages } from '../schema/onnx.js';

/** A field with what decoding and encoding look up for every value. */
export interface FieldType extends Field {
  /** Tag before a value in the wire type of {@link Field.wireType}. */
  readonly tag: number;
  /** Tag before a length-delimited block. */
  readonly blockTag: number;
  /** Type of a message field's value. */
  readonly type: MessageType | undefined;
  /** Other fields of its oneof group, which setting it clears. */
  readonly rivals: readonly string[];
  /** Elements of a tensor: large ones stay in the file until they are asked for. */
  readonly lazy: boolean;
}

/** A message with its fields in ascending order and by number. */
export interface MessageType {
  readonly name: keyof Messages;
  readonly fields: readonly FieldType[];
  readonly byNumber: readonly (FieldType | undefined)[];
}

function compile(): ReadonlyMap<string, MessageType> {
  const names = Object.keys(fields) as (keyof Messages)[];
  // Messages refer to one another, so their types exist before their fields do.
  const types = new Map(
    names.map((name) => [
      name as string,
      { name, fields: [] as FieldType[], byNumber: [] as (FieldType | undefined)[] },
    ]),
  );
  for (const type of types.values()) {
    for (const field of fields[type.name]) {
      const rivals = fields[type.name].filter(
        (other) => other.oneof !== undefined && other.oneof === field.oneof && other !== field,
      );
      const entry = {
        ...field,
        tag: (field.number << 3) | field.wireType,
        blockTag: (field.number << 3) | 2,
        type: field.message === undefined ? undefined : types.get(field.message),
        rivals: rivals.map((other) => other.name),
        lazy:
          type.name === 'TensorProto' &&
          (field.kind === 'bytes' ? !field.repeated : field.packed === true),
      };
      type.fields.push(entry);
      type.byNumber[field.number] = entry;
    }
  }
  return types;
}

const types = compile();

/** The type of a message by its name. */
export function messageType(name: keyof Messages): MessageType {
  return types.get(name)!;
}
