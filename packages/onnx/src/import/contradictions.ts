import {
  coreDiagnostics,
  type DiagnosticOrigin,
  type DType,
  type Report,
  type Shape,
  type Value,
} from '@drover/core';
import { reportWrongDeclarations } from '@drover/core/format';
import {
  AttributeType,
  type AttributeProto,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type ValueInfoProto,
} from '../schema/onnx.js';
import { dtypeOf } from '../codec/data-type.js';
import { onnxDiagnostics } from '../diagnostics.js';
import { functionKey } from './function-body.js';

const domainOf = (domain = '') => (domain === 'ai.onnx' ? '' : domain);
const spelled = (domain: string | undefined, name: string | undefined) =>
  [domainOf(domain), name].filter(Boolean).join('.');

/** Throws `core/duplicate` when two of several things have one key. */
function refuseTwice<T>(
  things: readonly T[] | undefined,
  keyOf: (thing: T) => string,
  message: (thing: T) => string,
  origin: DiagnosticOrigin,
): void {
  const keys = new Set<string>();
  for (const thing of things ?? []) {
    const key = keyOf(thing);
    if (keys.has(key))
      throw coreDiagnostics.error('duplicate', { message: message(thing), origin });
    keys.add(key);
  }
}

/**
 * One version of an operator set, stated twice, says nothing new. Two are refused: the schema binds
 * nodes to the highest, onnxruntime to the last.
 */
function checkOpsets(imports: ModelProto['opsetImport'], user: string, file: string): void {
  const versions = new Map<string, number | bigint>();
  for (const { domain, version = 0 } of imports ?? []) {
    const key = domainOf(domain);
    const other = versions.get(key) ?? version;
    if (other !== version)
      throw coreDiagnostics.error('duplicate', {
        message: `${user} uses versions ${other} and ${version} of the operator set ${JSON.stringify(key)}.`,
        origin: { file },
      });
    versions.set(key, version);
  }
}

/** The field that holds the value of an attribute of each type. */
const fields = {
  [AttributeType.FLOAT]: 'f',
  [AttributeType.INT]: 'i',
  [AttributeType.STRING]: 's',
  [AttributeType.TENSOR]: 't',
  [AttributeType.GRAPH]: 'g',
  [AttributeType.SPARSE_TENSOR]: 'sparseTensor',
  [AttributeType.TYPE_PROTO]: 'tp',
  [AttributeType.FLOATS]: 'floats',
  [AttributeType.INTS]: 'ints',
  [AttributeType.STRINGS]: 'strings',
  [AttributeType.TENSORS]: 'tensors',
  [AttributeType.GRAPHS]: 'graphs',
} as const;

function checkAttribute(attribute: AttributeProto, where: string, origin: DiagnosticOrigin): void {
  const { type = AttributeType.UNDEFINED, name } = attribute;
  // Files before IR version 2 state no types.
  if (type === AttributeType.UNDEFINED) return;
  const own = fields[type as keyof typeof fields];
  for (const field of Object.values(fields)) {
    const value = attribute[field];
    const isSet = value !== undefined && !(Array.isArray(value) && value.length === 0);
    if (isSet && field !== own)
      throw onnxDiagnostics.error('graph', {
        message: `${where}: its attribute ${name} is of type ${type} and has a value in the field ${field}.`,
        origin,
      });
  }
}

function checkNode(node: NodeProto, file: string, report: Report): void {
  const op = spelled(node.domain, node.opType);
  const name = node.name || node.output?.find((each) => each !== '') || op;
  const origin = { file, node: name, op };
  refuseTwice(
    node.attribute,
    (attribute) => attribute.name ?? '',
    (attribute) => `${op} ${name} has two attributes ${attribute.name}.`,
    origin,
  );
  for (const attribute of node.attribute ?? []) {
    checkAttribute(attribute, `${op} ${name}`, origin);
    for (const body of attribute.g ? [attribute.g] : (attribute.graphs ?? []))
      checkGraph(body, file, report);
  }
}

/** What a file declares of a value that is not so; undefined where it may be. */
function otherwise(
  info: ValueInfoProto,
  { dtype, shape }: { readonly dtype: DType; readonly shape: Shape | undefined },
): { readonly message: string; readonly isTyped: boolean } | undefined {
  const type = info.type?.tensorType;
  const declared = type?.elemType === undefined ? undefined : dtypeOf(type.elemType);
  // Some exporters write 0 or -1 for a dimension that is not known.
  const dims = type?.shape?.dim?.map(({ dimValue, dimParam }) =>
    dimValue === undefined || dimValue <= 0 ? (dimParam ?? '?') : Number(dimValue),
  );
  const isTyped = declared === undefined || declared === dtype;
  const isShaped =
    !dims ||
    !shape ||
    (dims.length === shape.length &&
      dims.every(
        (dim, i) => typeof dim !== 'number' || typeof shape[i] !== 'number' || dim === shape[i],
      ));
  if (isTyped && isShaped) return undefined;
  const says = `${declared ?? 'a tensor'}${dims ? `[${dims.join(', ')}]` : ''}`;
  const is = `${dtype}${shape ? `[${shape.map(String).join(', ')}]` : ''}`;
  return { message: `${info.name} is declared as ${says} and is ${is}`, isTyped };
}

/** onnxruntime refuses what contradicts a stored tensor that is listed among the inputs, too. */
function checkGraph(graph: GraphProto, file: string, report: Report): void {
  const stored = new Map(
    [
      ...(graph.initializer ?? []).map((tensor) => ({ tensor, dims: tensor.dims })),
      ...(graph.sparseInitializer ?? []).map(({ values, dims }) => ({ tensor: values, dims })),
    ].map(({ tensor, dims }) => [tensor?.name, { dataType: tensor?.dataType, dims }]),
  );
  for (const info of graph.input ?? []) {
    const { dataType, dims = [] } = stored.get(info.name) ?? {};
    const dtype = dataType === undefined ? undefined : dtypeOf(dataType);
    const found = dtype && otherwise(info, { dtype, shape: dims.map(Number) });
    if (found)
      throw coreDiagnostics.error('invalid-shape', {
        message: `The stored tensor ${found.message}.`,
        origin: { file, node: info.name ?? '' },
      });
  }
  for (const node of graph.node ?? []) checkNode(node, file, report);
}

/**
 * Refuses what a file says in two ways: two functions of one name, domain and overload, two
 * versions of one operator set, an attribute twice or of another type than its value, a stored
 * tensor that is not of its declared type. Throws `core/duplicate`, `onnx/graph`,
 * `core/invalid-shape`; metadata that stand twice are a warning, `core/wrong-declaration`.
 */
export function checkModel(model: ModelProto, file: string, report: Report): void {
  const origin = { file };
  checkOpsets(model.opsetImport, 'The model', file);
  refuseTwice(
    model.functions,
    ({ domain, name, overload }) => functionKey(domain, name, overload),
    ({ domain, name, overload }) =>
      `Two functions are named ${spelled(domain, name)}${overload ? ` (overload ${overload})` : ''}.`,
    origin,
  );
  for (const called of model.functions ?? []) {
    const name = `The function ${spelled(called.domain, called.name)}`;
    checkOpsets(called.opsetImport, name, file);
    refuseTwice(
      called.attributeProto,
      (attribute) => attribute.name ?? '',
      (attribute) => `${name} has two defaults of its attribute ${attribute.name}.`,
      origin,
    );
    for (const node of called.node ?? []) checkNode(node, file, report);
  }
  if (model.graph) checkGraph(model.graph, file, report);
  const metadata = new Map<string, string>();
  for (const { key = '', value = '' } of model.metadataProps ?? []) {
    if ((metadata.get(key) ?? value) !== value)
      report.add(
        coreDiagnostics.diagnostic('wrong-declaration', {
          message: `The metadata ${JSON.stringify(key)} stand in the file twice; the last is taken.`,
          origin,
        }),
      );
    metadata.set(key, value);
  }
}

/**
 * Compares the types that a graph declares for its values with those that follow. As in
 * onnxruntime, another element type of what a node makes is an error (`core/invalid-shape`), and
 * other sizes are a warning (`core/wrong-declaration`): exporters leave them behind when they
 * change a model. `own` gives a value of the graph whose type is known.
 */
export function compareDeclared(
  graph: GraphProto,
  own: (name: string) => Value | undefined,
  { file, report }: { readonly file: string; readonly report: Report },
): void {
  const made = new Set((graph.node ?? []).flatMap(({ output }) => output ?? []));
  const wrong = new Set<string>();
  for (const info of [...(graph.valueInfo ?? []), ...(graph.output ?? [])]) {
    const value = own(info.name ?? '');
    const found = value && otherwise(info, value);
    if (!found) continue;
    if (!found.isTyped && made.has(info.name ?? ''))
      throw coreDiagnostics.error('invalid-shape', {
        message: `The value ${found.message}.`,
        origin: { file, node: info.name ?? '' },
      });
    wrong.add(found.message);
  }
  const what = `The graph ${graph.name ?? ''} declares values otherwise than they are`;
  reportWrongDeclarations(what, wrong, file, report);
}
