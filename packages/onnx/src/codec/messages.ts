import { Schema } from '@drover/protobuf';
import { fields } from '../schema/fields.js';
import type { Messages } from '../schema/onnx.js';

/** Every message of ONNX. Large elements of tensors are left in the file. */
export const onnxSchema = new Schema<Messages>(fields);
