import type { GraphProto, NodeProto } from '../schema/onnx.js';
import { onnxDiagnostics } from '../diagnostics.js';

/**
 * Names that a node needs: its operands, and whatever its bodies mention. A name that a body makes
 * itself is harmless: it may not be one of the graph around it.
 */
function* namesNeeded(node: NodeProto): Iterable<string> {
  yield* node.input ?? [];
  for (const { g, graphs } of node.attribute ?? [])
    for (const body of g ? [g] : (graphs ?? [])) yield* namesMentioned(body);
}

function* namesMentioned(body: GraphProto): Iterable<string> {
  for (const node of body.node ?? []) yield* namesNeeded(node);
  for (const { name } of body.output ?? []) yield name ?? '';
}

function needsOnly(node: NodeProto, isKnown: (name: string) => boolean): boolean {
  for (const name of node.input ?? []) if (!isKnown(name)) return false;
  if (!node.attribute?.some(({ g, graphs }) => g ?? graphs)) return true;
  for (const name of namesNeeded(node)) if (!isKnown(name)) return false;
  return true;
}

/**
 * Nodes in an order in which each follows what it needs: the file's own where that is one, as the
 * specification asks, else the nearest. Throws `onnx/graph` that names the nodes of a cycle.
 */
export function inDependencyOrder(nodes: readonly NodeProto[], file: string): readonly NodeProto[] {
  const makers = new Map<string, number>();
  nodes.forEach(({ output }, i) => output?.forEach((name) => name !== '' && makers.set(name, i)));
  if (nodes.every((node, i) => needsOnly(node, (name) => (makers.get(name) ?? -1) < i)))
    return nodes;
  const needed = nodes.map((node) =>
    [...new Set(namesNeeded(node))].flatMap((name) => makers.get(name) ?? []),
  );
  const order: NodeProto[] = [];
  const next = new Int32Array(nodes.length);
  const isOpen = new Uint8Array(nodes.length);
  for (let root = 0; root < nodes.length; root++) {
    const stack = [root];
    while (stack.length > 0) {
      const at = stack.at(-1)!;
      const maker = needed[at]![next[at]!];
      if (next[at] === -1 || maker === undefined) {
        if (next[at] !== -1) order.push(nodes[at]!);
        next[at] = -1;
        isOpen[at] = 0;
        stack.pop();
        continue;
      }
      isOpen[at] = 1;
      next[at]!++;
      if (isOpen[maker] === 1)
        throw cycle(
          stack.slice(stack.indexOf(maker)).map((i) => nodes[i]!),
          file,
        );
      if (next[maker] !== -1) stack.push(maker);
    }
  }
  return order;
}

function cycle(nodes: readonly NodeProto[], file: string) {
  const names = nodes.slice(0, 8).map((node) => `${node.opType} ${node.name || node.output?.[0]}`);
  const message =
    nodes.length === 1
      ? `${names[0]} depends on itself.`
      : `${nodes.length} nodes depend on one another in a circle: ${names.join(', ')}${nodes.length > 8 ? ', …' : ''}.`;
  return onnxDiagnostics.error('graph', {
    message,
    origin: { file, node: nodes[0]!.name ?? '', op: nodes[0]!.opType ?? '' },
  });
}
