import { attrOf, fixedInputNames } from './operator.js';
import type { SymbolEntry, SymbolGraph, SymbolNode } from './symbol.js';

type MutableNode = { -readonly [K in keyof SymbolNode]: SymbolNode[K] } & {
  attrs: Map<string, string>;
  inputs: SymbolEntry[];
};

const hiddenKeys = ['ctx_group', 'lr_mult', 'wd_mult', 'force_mirroring', 'mirror_stage'];

/** Initialisers that operators set on their input variables since 0.9.4, by input name. */
const statistics = { moving_mean: '["zero", {}]', moving_var: '["one", {}]' };
const initialisers: ReadonlyMap<string, Readonly<Record<string, string>>> = new Map<
  string,
  Readonly<Record<string, string>>
>([
  ['BatchNorm', statistics],
  ['BatchNorm_v1', statistics],
  ['_contrib_SyncBatchNorm', statistics],
  ['_contrib_BatchNormWithReLU', statistics],
  ['LeakyReLU', { gamma: '["Constant", {"value": 0.25}]' }],
]);

/**
 * Applies to a graph of an older MXNet what MXNet applies on loading it
 * (src/nnvm/legacy_json_util.cc, 1.9.1), in the same order. Graphs without a version and subgraphs
 * of such are 0.8.0. Throws `mxnet/attribute`.
 */
export function upgradeSymbol(graph: SymbolGraph, version: number, file: string): SymbolGraph {
  if (version >= 10901) return graph;
  const nodes: MutableNode[] = graph.nodes.map((node) => ({
    ...node,
    attrs: new Map(node.attrs),
    inputs: [...node.inputs],
    subgraphs: node.subgraphs.map((body) => upgradeSymbol(body, version, file)),
  }));
  for (const node of nodes) hideKeys(node, nodes, file);
  let upgraded: SymbolGraph = { ...graph, nodes };
  if (version < 900) upgraded = addMissingInputs(upgraded, file);
  if (version < 904) initialise(upgraded, file);
  if (version < 905) {
    for (const node of upgraded.nodes as readonly MutableNode[]) {
      if ((node.op === 'argmax' || node.op === 'argmin') && node.attrs.get('axis') === '-1')
        node.attrs.delete('axis');
    }
  }
  return upgraded;
}

/**
 * `lr_mult` becomes `__lr_mult__`; `weight_lr_mult` becomes `__lr_mult__` of the input variable
 * `weight`.
 */
function hideKeys(node: MutableNode, nodes: readonly MutableNode[], file: string): void {
  const found = hiddenKeys.flatMap((key) =>
    [...node.attrs.keys()].filter((name) => name.endsWith(key)).map((name) => ({ key, name })),
  );
  for (const { key, name } of found) {
    const value = node.attrs.get(name)!;
    const hidden = `__${key}__`;
    if (name === key) {
      node.attrs.delete(name);
      node.attrs.set(hidden, value);
    } else if (node.op !== null && name.length > key.length + 1) {
      const input =
        node.inputs[fixedInputNames(node, file)?.indexOf(name.slice(0, -key.length - 1)) ?? -1];
      const variable = input && nodes[input.node]!;
      if (variable?.op === null) {
        node.attrs.delete(name);
        variable.attrs.set(hidden, value);
      }
    }
  }
}

/**
 * Before 0.9 auxiliary states were not nodes. They are appended as variables `NODE_INPUT` with the
 * node's attributes.
 */
function addMissingInputs(graph: SymbolGraph, file: string): SymbolGraph {
  const nodes: MutableNode[] = [];
  const moved: number[] = [];
  const move = (entry: SymbolEntry): SymbolEntry => ({ ...entry, node: moved[entry.node]! });
  for (const node of graph.nodes as readonly MutableNode[]) {
    const inputs = node.inputs.map(move);
    const names = node.op === null ? [] : (fixedInputNames(node, file) ?? []);
    for (const name of names.slice(inputs.length)) {
      inputs.push({ node: nodes.length, output: 0, version: 0 });
      nodes.push({
        op: null,
        name: `${node.name}_${name}`,
        attrs: new Map(node.attrs),
        inputs: [],
        controlDeps: [],
        subgraphs: [],
      });
    }
    moved.push(nodes.length);
    nodes.push({ ...node, inputs, controlDeps: node.controlDeps.map((id) => moved[id]!) });
  }
  return { ...graph, nodes, heads: graph.heads.map(move) };
}

function initialise(graph: SymbolGraph, file: string): void {
  for (const node of graph.nodes) {
    const wanted = node.op === null ? undefined : initialisers.get(node.op);
    if (
      wanted === undefined ||
      (node.op === 'LeakyReLU' && attrOf(node, 'act_type', file) !== 'prelu')
    )
      continue;
    const names = fixedInputNames(node, file) ?? [];
    for (const [name, initialiser] of Object.entries(wanted)) {
      const input = node.inputs[names.indexOf(name)];
      const variable = input && (graph.nodes[input.node] as MutableNode);
      if (variable?.op === null && !variable.attrs.has('__init__'))
        variable.attrs.set('__init__', initialiser);
    }
  }
}
