import type { ArgDef, FunctionDef, NodeDef } from '../codec/graph-def.js';

/**
 * A function made of nodes of a graph: `results` refer to its nodes and arguments as in a graph
 * (`node:k`).
 */
export function functionOf(
  name: string,
  args: readonly ArgDef[],
  nodes: readonly NodeDef[],
  results: readonly string[],
): FunctionDef {
  return {
    signature: {
      name,
      inputs: args,
      outputs: results.map((_, i) => ({ name: `result${i}`, extra: new Map() })),
      controlOutputs: [],
      isStateful: false,
      extra: new Map(),
    },
    nodes,
    ret: new Map(results.map((result, i) => [`result${i}`, result])),
    controlRet: new Map(),
    attrs: new Map(),
    argAttrs: new Map(),
    extra: new Map(),
  };
}
