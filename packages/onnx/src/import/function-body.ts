import type { AttributeProto, FunctionProto, NodeProto } from '../codec/index.js';

/**
 * The nodes of a function as one call sees them: attributes that refer to the function's have the call's value, the function's default, or are absent; nodes
 * are named after the call. An operand that the caller left out is absent in the nodes that use it.
 */
export function bindFunction(called: FunctionProto, call: NodeProto, prefix: string, isGiven: (input: string) => boolean): readonly NodeProto[] {
  const given = new Map<string, AttributeProto>();
  for (const attribute of called.attributeProto ?? []) given.set(attribute.name ?? '', attribute);
  for (const attribute of call.attribute ?? []) given.set(attribute.name ?? '', attribute);
  const absent = new Set((called.input ?? []).filter((name) => !isGiven(name)));
  const bind = (node: NodeProto, isOuter: boolean): NodeProto => ({
    ...node,
    ...(isOuter && { name: `${prefix}/${node.name || node.output?.[0] || node.opType}` }),
    input: (node.input ?? []).map((name) => (absent.has(name) ? '' : name)),
    attribute: (node.attribute ?? []).flatMap((attribute) => {
      if (attribute.refAttrName) {
        const value = given.get(attribute.refAttrName);
        return value ? [{ ...value, name: attribute.name ?? '' }] : [];
      }
      return [attribute.g ? { ...attribute, g: { ...attribute.g, node: (attribute.g.node ?? []).map((inner) => bind(inner, false)) } } : attribute];
    }),
  });
  return (called.node ?? []).map((node) => bind(node, true));
}
