import type { AttributeProto, FunctionProto, NodeProto } from '../schema/onnx.js';

/** How deep functions may call one another. */
export const maxCalls = 100;

/** Name of a model-local function: domain, name and overload (ONNX IR, "Functions"). */
export function functionKey(domain = '', name = '', overload = ''): string {
  return JSON.stringify([domain === 'ai.onnx' ? '' : domain, name, overload]);
}

/**
 * How many nodes there are once every call is replaced by the function's nodes: a short file can
 * stand for more than memory holds. Calls deeper than {@link maxCalls}, circles among them, count
 * once: they are refused when they are met.
 */
export function expandedCount(
  nodes: readonly NodeProto[],
  functions: ReadonlyMap<string, FunctionProto>,
  known = new Map<string, number>(),
  depth = 0,
): number {
  let count = 0;
  for (const node of nodes) {
    const key = functionKey(node.domain, node.opType, node.overload);
    const called = functions.get(key);
    if (called && depth < maxCalls && !known.has(key)) {
      known.set(key, 1);
      known.set(key, expandedCount(called.node ?? [], functions, known, depth + 1));
    }
    count += 1 + (called ? (known.get(key) ?? 0) : 0);
    for (const { g, graphs } of node.attribute ?? [])
      for (const body of g ? [g] : (graphs ?? []))
        count += expandedCount(body.node ?? [], functions, known, depth);
  }
  return count;
}

/**
 * The nodes of a function as one call sees them: attributes that refer to the function's have the
 * call's value, the function's default, or are absent. An operand that the caller left out is
 * absent in the nodes that use it.
 */
export function bindFunction(
  called: FunctionProto,
  call: NodeProto,
  isGiven: (input: string) => boolean,
): readonly NodeProto[] {
  const given = new Map<string, AttributeProto>();
  for (const attribute of called.attributeProto ?? []) given.set(attribute.name ?? '', attribute);
  for (const attribute of call.attribute ?? []) given.set(attribute.name ?? '', attribute);
  const absent = new Set((called.input ?? []).filter((name) => !isGiven(name)));
  const bind = (node: NodeProto): NodeProto => ({
    ...node,
    input: (node.input ?? []).map((name) => (absent.has(name) ? '' : name)),
    attribute: (node.attribute ?? []).flatMap((attribute) => {
      if (attribute.refAttrName) {
        const value = given.get(attribute.refAttrName);
        return value ? [{ ...value, name: attribute.name ?? '' }] : [];
      }
      return [
        attribute.g
          ? {
              ...attribute,
              g: {
                ...attribute.g,
                node: (attribute.g.node ?? []).map((inner) => bind(inner)),
              },
            }
          : attribute,
      ];
    }),
  });
  return (called.node ?? []).map(bind);
}
