import type { JsonCursor, JsonValue } from '@drover/core/format';
import type {
  ArgDef,
  FunctionDef,
  GradientDef,
  GraphDef,
  NodeDef,
  OpDef,
  SignatureDef,
  TensorInfo,
  VersionDef,
} from './graph-def.js';
import {
  decodeAttrs,
  decodeShape,
  duplicateError,
  encodeAttrs,
  encodeShape,
  extraOf,
  objectOf,
  recordOf,
  repeated,
  type JsonMembers,
} from './json-attr.js';
import { decodeDataType, decodeInt32 } from './json-scalar.js';

const textOr = (json: JsonCursor | undefined): string => json?.string() ?? '';
const filled = (text: string): string | undefined => (text === '' ? undefined : text);
const mapOf = <T>(
  json: JsonCursor | undefined,
  decode: (item: JsonCursor) => T,
): ReadonlyMap<string, T> =>
  new Map((json?.members() ?? []).map(([key, item]) => [key, decode(item)]));
const recordUnlessEmpty = <T>(
  map: ReadonlyMap<string | number, T>,
  encode: (value: T) => JsonValue,
): JsonValue | undefined => (map.size === 0 ? undefined : recordOf(map, encode));

const graphKeys = new Set(['node', 'library', 'versions']);
const nodeKeys = new Set(['name', 'op', 'input', 'device', 'attr']);
const functionKeys = new Set(['signature', 'nodeDef', 'ret', 'controlRet', 'attr', 'argAttr']);
const opDefKeys = new Set(['name', 'inputArg', 'outputArg', 'controlOutput', 'isStateful']);
const argKeys = new Set(['name', 'type', 'typeAttr', 'numberAttr', 'typeListAttr']);
const signatureKeys = new Set(['inputs', 'outputs', 'methodName']);
const infoKeys = new Set(['name', 'dtype', 'tensorShape', 'resourceId']);

/**
 * Reads a GraphDef in protobuf's JSON form, as tensorflowjs writes it. Throws `core/json` and
 * `core/duplicate`.
 */
export function decodeGraphDef(json: JsonCursor): GraphDef {
  const library = json.get('library');
  const versions = json.get('versions');
  const functions = (library?.get('function')?.items() ?? []).map(decodeFunction);
  const names = new Set<string>();
  for (const { signature } of functions) {
    if (names.has(signature.name))
      throw duplicateError(
        library!,
        `Two functions have the name ${JSON.stringify(signature.name)}.`,
      );
    names.add(signature.name);
  }
  return {
    nodes: decodeNodes(json.get('node')),
    functions,
    gradients: (library?.get('gradient')?.items() ?? []).map((item) => ({
      functionName: textOr(item.get('functionName')),
      gradientFunc: textOr(item.get('gradientFunc')),
    })),
    versions: versions && decodeVersions(versions),
    extra: extraOf(json, graphKeys),
  };
}

/**
 * The inverse of {@link decodeGraphDef}: fields with default values are left out, as protobuf does;
 * `library` is always there, as tensorflowjs has it.
 */
export function encodeGraphDef(graph: GraphDef): JsonMembers {
  return objectOf(
    {
      node: graph.nodes.map(encodeNode),
      library: objectOf({
        function: repeated(graph.functions, encodeFunction),
        gradient: repeated(graph.gradients, encodeGradient),
      }),
      versions: graph.versions && encodeVersions(graph.versions),
    },
    graph.extra,
  );
}

function encodeGradient({ functionName, gradientFunc }: GradientDef): JsonMembers {
  return objectOf({ functionName: filled(functionName), gradientFunc: filled(gradientFunc) });
}

function decodeVersions(json: JsonCursor): VersionDef {
  const int = (item: JsonCursor | undefined): number =>
    item === undefined ? 0 : decodeInt32(item);
  return {
    producer: int(json.get('producer')),
    minConsumer: int(json.get('minConsumer')),
    badConsumers: (json.get('badConsumers')?.items() ?? []).map(decodeInt32),
  };
}

function encodeVersions({ producer, minConsumer, badConsumers }: VersionDef): JsonMembers {
  return objectOf({
    producer: producer || undefined,
    minConsumer: minConsumer || undefined,
    badConsumers: repeated(badConsumers, (version) => version),
  });
}

/** Nodes of a graph or of a function body: every name stands once. */
function decodeNodes(json: JsonCursor | undefined): NodeDef[] {
  const names = new Set<string>();
  return (json?.items() ?? []).map((item) => {
    const name = item.require('name').string();
    if (names.has(name))
      throw duplicateError(item, `Two nodes have the name ${JSON.stringify(name)}.`, name);
    names.add(name);
    const attrs = item.get('attr');
    return {
      name,
      op: item.require('op').string(),
      inputs: (item.get('input')?.items() ?? []).map((input) => input.string()),
      device: textOr(item.get('device')),
      attrs: attrs === undefined ? new Map() : decodeAttrs(attrs),
      extra: extraOf(item, nodeKeys),
    };
  });
}

function encodeNode({ name, op, inputs, device, attrs, extra }: NodeDef): JsonMembers {
  return objectOf(
    {
      name,
      op,
      input: repeated(inputs, (input) => input),
      device: filled(device),
      attr: attrs.size === 0 ? undefined : encodeAttrs(attrs),
    },
    extra,
  );
}

function decodeArg(json: JsonCursor): ArgDef {
  const type = json.get('type');
  const text = (key: 'typeAttr' | 'numberAttr' | 'typeListAttr'): Partial<ArgDef> => {
    const value = textOr(json.get(key));
    return value === '' ? {} : { [key]: value };
  };
  return {
    name: textOr(json.get('name')),
    ...(type === undefined ? {} : { type: decodeDataType(type) }),
    ...text('typeAttr'),
    ...text('numberAttr'),
    ...text('typeListAttr'),
    extra: extraOf(json, argKeys),
  };
}

function encodeArg({ name, type, typeAttr, numberAttr, typeListAttr, extra }: ArgDef): JsonMembers {
  return objectOf({ name: filled(name), type, typeAttr, numberAttr, typeListAttr }, extra);
}

function decodeOpDef(json: JsonCursor): OpDef {
  return {
    name: textOr(json.get('name')),
    inputs: (json.get('inputArg')?.items() ?? []).map(decodeArg),
    outputs: (json.get('outputArg')?.items() ?? []).map(decodeArg),
    controlOutputs: (json.get('controlOutput')?.items() ?? []).map((item) => item.string()),
    isStateful: json.get('isStateful')?.boolean() ?? false,
    extra: extraOf(json, opDefKeys),
  };
}

function encodeOpDef({
  name,
  inputs,
  outputs,
  controlOutputs,
  isStateful,
  extra,
}: OpDef): JsonMembers {
  return objectOf(
    {
      name: filled(name),
      inputArg: repeated(inputs, encodeArg),
      outputArg: repeated(outputs, encodeArg),
      isStateful: isStateful || undefined,
      controlOutput: repeated(controlOutputs, (output) => output),
    },
    extra,
  );
}

function decodeFunction(json: JsonCursor): FunctionDef {
  const attrs = json.get('attr');
  const argAttrs = (json.get('argAttr')?.members() ?? []).map(([key, item]) => {
    if (!/^\d{1,9}$/.test(key)) throw item.error('is not named by the position of an argument');
    const attr = item.get('attr');
    return [Number(key), attr === undefined ? new Map() : decodeAttrs(attr)] as const;
  });
  return {
    signature: decodeOpDef(json.require('signature')),
    nodes: decodeNodes(json.get('nodeDef')),
    ret: mapOf(json.get('ret'), (item) => item.string()),
    controlRet: mapOf(json.get('controlRet'), (item) => item.string()),
    attrs: attrs === undefined ? new Map() : decodeAttrs(attrs),
    argAttrs: new Map(argAttrs),
    extra: extraOf(json, functionKeys),
  };
}

function encodeFunction({
  signature,
  nodes,
  ret,
  controlRet,
  attrs,
  argAttrs,
  extra,
}: FunctionDef): JsonMembers {
  return objectOf(
    {
      signature: encodeOpDef(signature),
      nodeDef: repeated(nodes, encodeNode),
      ret: recordUnlessEmpty(ret, (tensor) => tensor),
      attr: attrs.size === 0 ? undefined : encodeAttrs(attrs),
      controlRet: recordUnlessEmpty(controlRet, (node) => node),
      argAttr: recordUnlessEmpty(argAttrs, (attr) =>
        objectOf({ attr: attr.size === 0 ? undefined : encodeAttrs(attr) }),
      ),
    },
    extra,
  );
}

/**
 * Reads a SignatureDef in protobuf's JSON form, with the `resourceId` that TF.js adds. Throws
 * `core/json`.
 */
export function decodeSignature(json: JsonCursor): SignatureDef {
  return {
    inputs: mapOf(json.get('inputs'), decodeInfo),
    outputs: mapOf(json.get('outputs'), decodeInfo),
    methodName: textOr(json.get('methodName')),
    extra: extraOf(json, signatureKeys),
  };
}

/** The inverse of {@link decodeSignature}. */
export function encodeSignature({ inputs, outputs, methodName, extra }: SignatureDef): JsonMembers {
  return objectOf(
    {
      inputs: recordUnlessEmpty(inputs, encodeInfo),
      outputs: recordUnlessEmpty(outputs, encodeInfo),
      methodName: filled(methodName),
    },
    extra,
  );
}

function decodeInfo(json: JsonCursor): TensorInfo {
  const dtype = json.get('dtype');
  const shape = json.get('tensorShape');
  const resourceId = json.get('resourceId');
  return {
    name: textOr(json.get('name')),
    dtype: dtype === undefined ? 'DT_INVALID' : decodeDataType(dtype),
    shape: shape && decodeShape(shape),
    ...(resourceId === undefined ? {} : { resourceId: resourceId.integer() }),
    extra: extraOf(json, infoKeys),
  };
}

function encodeInfo({ name, dtype, shape, resourceId, extra }: TensorInfo): JsonMembers {
  return objectOf(
    {
      name: filled(name),
      dtype: dtype === 'DT_INVALID' ? undefined : dtype,
      tensorShape: shape && encodeShape(shape),
      resourceId,
    },
    extra,
  );
}
