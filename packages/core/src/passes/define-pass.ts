import type { Graph } from '../graph/graph.js';
import { verify } from '../graph/verify.js';

/** What a pass leaves as it was, beside the meaning of the graph. */
export type Kept = 'names' | 'layout' | 'composites';

/** A change of a graph that keeps its meaning, its inputs and its outputs. */
export interface Pass<Options> {
  readonly name: string;
  readonly keeps: readonly Kept[];
  /**
   * Edits one graph (its nodes' bodies are visited by {@link runPass}) and gives the number of
   * edits: 0 on a second run.
   */
  run(graph: Graph, options: Options): number | Promise<number>;
}

/** Declares a pass. Its doc comment shows a graph before and after. */
export function definePass<Options = void>(
  name: string,
  keeps: readonly Kept[],
  run: Pass<Options>['run'],
): Pass<Options> {
  return { name, keeps, run };
}

/**
 * Runs a pass on a graph and on every body in it, bodies first, and verifies what it changed. Gives
 * the number of edits.
 */
export async function runPass<Options>(
  pass: Pass<Options>,
  graph: Graph,
  options: Options,
): Promise<number> {
  let edits = 0;
  for (const node of graph.nodes)
    for (const { graph: body } of Object.values(node.regions))
      edits += await runPass(pass, body, options);
  edits += await pass.run(graph, options);
  if (edits > 0) verify(graph);
  return edits;
}

/** A pass with its options, to be run on graphs. */
export interface PassRun {
  readonly name: string;
  /** See {@link runPass}. */
  readonly run: (graph: Graph) => Promise<number>;
}

/** A pass with its options. */
export function passRun(pass: Pass<void>): PassRun;
export function passRun<Options>(pass: Pass<Options>, options: Options): PassRun;
export function passRun<Options>(pass: Pass<Options>, options?: Options): PassRun {
  return { name: pass.name, run: (graph) => runPass(pass, graph, options as Options) };
}
