import { coreDiagnostics, type DroverError, type Source } from '@drover/core';
import { readJson, type JsonCursor } from '@drover/core/format';
import { mxnetDiagnostics } from '../diagnostics.js';
import { canonicalOpName, outputCounts } from './operator.js';
import {
  versionOf,
  writtenVersion,
  type GraphAttr,
  type SymbolEntry,
  type SymbolGraph,
  type SymbolNode,
} from './symbol.js';
import { upgradeSymbol } from './upgrade-symbol.js';

/** Bounds that protect from hostile symbol files. */
export interface SymbolLimits {
  /** Nodes of one graph; a million unless told. */
  readonly maxNodes?: number;
  /** Depth of subgraphs within subgraphs; 30 unless told. */
  readonly maxSubgraphDepth?: number;
}

/** A symbol file, brought up to the form that MXNet 1.9.1 would write. */
export interface DecodedSymbol {
  readonly graph: SymbolGraph;
  /** The version that wrote the file: MAJOR*10000 + MINOR*100 + PATCH; 800 if it does not say. */
  readonly sourceVersion: number;
}

/**
 * Reads a `-symbol.json` of any MXNet from 0.8 on: all spellings of attributes, 2- and 3-tuples,
 * aliases replaced by canonical names, older graphs upgraded as MXNet does on loading
 * (src/nnvm/legacy_json_util.cc). Throws `core/json`, `mxnet/symbol`, `mxnet/attribute`,
 * `core/limit`.
 */
export async function readSymbol(
  source: Source,
  limits: SymbolLimits = {},
): Promise<DecodedSymbol> {
  return decodeSymbol(await readJson(source), limits);
}

/** {@link readSymbol} of JSON that is parsed already. */
export function decodeSymbol(json: JsonCursor, limits: SymbolLimits = {}): DecodedSymbol {
  const { maxNodes = 1_000_000, maxSubgraphDepth = 30 } = limits;
  const decoded = decodeGraph(json, { maxNodes, maxSubgraphDepth }, 0);
  const sourceVersion = versionOf(decoded);
  const graph = upgradeSymbol(decoded, sourceVersion, json.file);
  if (sourceVersion >= writtenVersion) return { graph, sourceVersion };
  return {
    graph: {
      ...graph,
      attrs: new Map([...graph.attrs, ['mxnet_version', { type: 'int', value: writtenVersion }]]),
    },
    sourceVersion,
  };
}

function wrong(at: JsonCursor, message: string, node?: string): DroverError {
  return mxnetDiagnostics.error('symbol', {
    message,
    origin: { file: at.file, pointer: at.pointer, ...(node === undefined ? {} : { node }) },
  });
}

function decodeGraph(json: JsonCursor, limits: Required<SymbolLimits>, depth: number): SymbolGraph {
  if (depth > limits.maxSubgraphDepth) {
    throw coreDiagnostics.error('limit', {
      message: `Subgraphs nest deeper than ${limits.maxSubgraphDepth} (maxSubgraphDepth).`,
      origin: { file: json.file, pointer: json.pointer },
    });
  }
  const items = json.require('nodes').items();
  if (items.length > limits.maxNodes) {
    throw coreDiagnostics.error('limit', {
      message: `The graph has ${items.length} nodes (maxNodes ${limits.maxNodes}).`,
      origin: { file: json.file },
    });
  }
  const nodes: SymbolNode[] = [];
  const counts: (number | undefined)[] = [];
  const entry = (at: JsonCursor, before: number): SymbolEntry => {
    const tuple = at.items();
    if (tuple.length !== 2 && tuple.length !== 3)
      throw wrong(at, `A reference to an output has ${tuple.length} numbers, not 2 or 3.`);
    const [node, output, version] = tuple.map((item) => item.integer(0)) as [
      number,
      number,
      number?,
    ];
    if (node >= before)
      throw wrong(
        at,
        `Node ${node} is referred to, but only ${before} nodes come before this place.`,
      );
    const count = counts[node];
    if (count !== undefined && output >= count)
      throw wrong(
        at,
        `Output ${output} of ${nodes[node]!.name} is referred to, but it has ${count}.`,
        nodes[node]!.name,
      );
    return { node, output, version: version ?? 0 };
  };
  for (const item of items) {
    const node = decodeNode(
      item,
      (at) => entry(at, nodes.length),
      nodes.length,
      (body) => decodeGraph(body, limits, depth + 1),
    );
    counts.push(outputCounts(node, json.file)?.total);
    nodes.push(node);
  }
  for (const at of json.require('arg_nodes').items()) {
    if (nodes[at.integer(0)]?.op !== null)
      throw wrong(at, `arg_nodes names node ${at.integer(0)}, which is not a variable.`);
  }
  const heads = json
    .require('heads')
    .items()
    .map((at) => entry(at, nodes.length));
  const attrs = new Map<string, GraphAttr>();
  for (const [name, value] of json.get('attrs')?.members() ?? []) {
    const [type, content, more] = value.items();
    if (type === undefined || content === undefined || more !== undefined)
      throw value.error('is not a pair of a type and a value');
    attrs.set(name, { type: type.string(), value: content.value });
  }
  return { nodes, heads, attrs };
}

function decodeNode(
  json: JsonCursor,
  entry: (at: JsonCursor) => SymbolEntry,
  index: number,
  body: (json: JsonCursor) => SymbolGraph,
): SymbolNode {
  const op = json.require('op').string();
  const attrs = new Map<string, string>();
  // MXNet merges all three spellings, and `param` (operator parameters before 0.9) does not
  // overwrite.
  for (const key of ['attrs', 'attr'])
    for (const [name, value] of json.get(key)?.members() ?? []) attrs.set(name, value.string());
  for (const [name, value] of json.get('param')?.members() ?? [])
    if (!attrs.has(name)) attrs.set(name, value.string());
  const controlDeps = (json.get('control_deps')?.items() ?? []).map((at) => {
    if (at.integer(0) >= index)
      throw wrong(
        at,
        `Node ${at.integer(0)} is a control dependency, but only ${index} nodes come before this place.`,
      );
    return at.integer(0);
  });
  const inputs = json.require('inputs').items().map(entry);
  const name = json.require('name').string();
  if (op === 'null' && inputs.length > 0)
    throw wrong(json, `The variable ${name} has inputs.`, name);
  return {
    op: op === 'null' ? null : canonicalOpName(op),
    name,
    attrs,
    inputs,
    controlDeps,
    subgraphs: (json.get('subgraphs')?.items() ?? []).map(body),
  };
}
