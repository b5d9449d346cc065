import type { JsonValue } from '@drover/core/format';

/** An output of a node. `version` counts in-place changes; it is 0 in exported models. */
export interface SymbolEntry {
  readonly node: number;
  readonly output: number;
  readonly version: number;
}

/**
 * A node of a symbol: a variable when `op` is null (input, parameter or auxiliary state), else an
 * operator by its canonical name.
 */
export interface SymbolNode {
  readonly op: string | null;
  readonly name: string;
  /**
   * Attributes as text, in MXNet's Python-like spelling. Those of the form `__x__` are the user's
   * and the framework's, not the operator's.
   */
  readonly attrs: ReadonlyMap<string, string>;
  /** Outputs of earlier nodes. */
  readonly inputs: readonly SymbolEntry[];
  readonly controlDeps: readonly number[];
  /** Bodies of control flow. */
  readonly subgraphs: readonly SymbolGraph[];
}

/** A typed value of a graph's own attributes, e.g. `["int", 10901]`. */
export interface GraphAttr {
  readonly type: string;
  readonly value: JsonValue;
}

/** The graph of a `-symbol.json` file. Every node comes after its inputs. */
export interface SymbolGraph {
  readonly nodes: readonly SymbolNode[];
  readonly heads: readonly SymbolEntry[];
  /** `mxnet_version` (MAJOR*10000 + MINOR*100 + PATCH) and flags such as `is_np_shape`. */
  readonly attrs: ReadonlyMap<string, GraphAttr>;
}

/** The version of MXNet that the encoder writes for. */
export const writtenVersion = 10901;

/** `mxnet_version` of a graph; files older than 0.9 do not state it and count as 0.8.0. */
export function versionOf(graph: SymbolGraph): number {
  const version = graph.attrs.get('mxnet_version')?.value;
  return typeof version === 'number' ? version : 800;
}
