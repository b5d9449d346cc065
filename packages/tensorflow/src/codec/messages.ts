import { Schema, type Int64, type Message } from '@drover/protobuf';

/** Fields that are absent have the default of proto3. */
export interface BundleHeader extends Message {
  numShards?: number;
  /** 0: little, 1: big. */
  endianness?: number;
  version?: VersionDef;
}

/** Which versions of readers take what a writer wrote. */
interface VersionDef extends Message {
  producer?: number;
  minConsumer?: number;
  badConsumers?: number[];
}

/** Where a tensor stands in the weight files, or which slices it is made of. */
export interface BundleEntry extends Message {
  dtype?: number;
  shape?: TensorShape;
  shardId?: number;
  offset?: Int64;
  size?: Int64;
  /** Masked. */
  crc32c?: number;
  slices?: TensorSlice[];
}

/** Sizes of a tensor. */
interface TensorShape extends Message {
  dim?: (Message & { size?: Int64; name?: string })[];
  unknownRank?: boolean;
}

/** A part of a tensor. A dimension without a length is there whole. */
export interface TensorSlice extends Message {
  extent?: (Message & { start?: Int64; length?: Int64 })[];
}

/** The objects that own variables (trackable_object_graph.proto); the first is the root. */
export interface ObjectGraph extends Message {
  nodes?: TrackedObject[];
}

/** An object: those that it refers to, its own tensors, and those that it keeps beside others. */
export interface TrackedObject extends Message {
  children?: (Message & { nodeId?: number; localName?: string })[];
  attributes?: (Message & { name?: string; fullName?: string; checkpointKey?: string })[];
  slotVariables?: (Message & {
    originalVariableNodeId?: number;
    slotName?: string;
    slotVariableNodeId?: number;
  })[];
}

interface Messages {
  BundleHeader: BundleHeader;
  VersionDef: VersionDef;
  BundleEntry: BundleEntry;
  TensorShape: TensorShape;
  Dim: Message;
  TensorSlice: TensorSlice;
  Extent: Message;
  ObjectGraph: ObjectGraph;
  TrackedObject: TrackedObject;
  ObjectReference: Message;
  SerializedTensor: Message;
  SlotVariable: Message;
}

/**
 * The messages of checkpoints: tensor_bundle.proto, versions.proto, tensor_shape.proto,
 * tensor_slice.proto and trackable_object_graph.proto of TensorFlow.
 */
export const schema = new Schema<Messages>({
  BundleHeader: [
    { number: 1, name: 'numShards', kind: 'int32' },
    { number: 2, name: 'endianness', kind: 'enum' },
    { number: 3, name: 'version', kind: 'message', message: 'VersionDef' },
  ],
  VersionDef: [
    { number: 1, name: 'producer', kind: 'int32' },
    { number: 2, name: 'minConsumer', kind: 'int32' },
    { number: 3, name: 'badConsumers', kind: 'int32', repeated: true, packed: true },
  ],
  BundleEntry: [
    { number: 1, name: 'dtype', kind: 'enum' },
    { number: 2, name: 'shape', kind: 'message', message: 'TensorShape' },
    { number: 3, name: 'shardId', kind: 'int32' },
    { number: 4, name: 'offset', kind: 'int64' },
    { number: 5, name: 'size', kind: 'int64' },
    { number: 6, name: 'crc32c', kind: 'fixed32' },
    { number: 7, name: 'slices', kind: 'message', message: 'TensorSlice', repeated: true },
  ],
  TensorShape: [
    { number: 2, name: 'dim', kind: 'message', message: 'Dim', repeated: true },
    { number: 3, name: 'unknownRank', kind: 'bool' },
  ],
  Dim: [
    { number: 1, name: 'size', kind: 'int64' },
    { number: 2, name: 'name', kind: 'string' },
  ],
  TensorSlice: [{ number: 1, name: 'extent', kind: 'message', message: 'Extent', repeated: true }],
  Extent: [
    { number: 1, name: 'start', kind: 'int64' },
    { number: 2, name: 'length', kind: 'int64' },
  ],
  ObjectGraph: [
    { number: 1, name: 'nodes', kind: 'message', message: 'TrackedObject', repeated: true },
  ],
  TrackedObject: [
    { number: 1, name: 'children', kind: 'message', message: 'ObjectReference', repeated: true },
    { number: 2, name: 'attributes', kind: 'message', message: 'SerializedTensor', repeated: true },
    { number: 3, name: 'slotVariables', kind: 'message', message: 'SlotVariable', repeated: true },
  ],
  ObjectReference: [
    { number: 1, name: 'nodeId', kind: 'int32' },
    { number: 2, name: 'localName', kind: 'string' },
  ],
  SerializedTensor: [
    { number: 1, name: 'name', kind: 'string' },
    { number: 2, name: 'fullName', kind: 'string' },
    { number: 3, name: 'checkpointKey', kind: 'string' },
  ],
  SlotVariable: [
    { number: 1, name: 'originalVariableNodeId', kind: 'int32' },
    { number: 2, name: 'slotName', kind: 'string' },
    { number: 3, name: 'slotVariableNodeId', kind: 'int32' },
  ],
});
