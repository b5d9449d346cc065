import { cloneGraph } from '../graph/clone.js';
import type { Graph } from '../graph/graph.js';
import type { Model } from '../model/model.js';
import type { Node } from '../graph/node.js';
import { commonSubexpressions } from '../passes/common-subexpressions.js';
import { deadCode } from '../passes/dead-code.js';
import { passRun, type PassRun } from '../passes/define-pass.js';
import { foldConstants } from '../passes/fold-constants.js';
import { inlineCalls } from '../passes/inline-calls.js';
import { setInputLayout } from '../passes/input-layout.js';
import { assignLayout } from '../passes/layout/assign-layout.js';
import { lower } from '../passes/lower.js';
import { recogniseActivations } from '../passes/recognise/recognise-activations.js';
import { recogniseBias } from '../passes/recognise/recognise-bias.js';
import { recogniseGroupNormalization } from '../passes/recognise/recognise-group-normalization.js';
import { loopToScan } from '../passes/recognise/loop-to-scan.js';
import { recogniseLayerNormalization } from '../passes/recognise/recognise-layer-normalization.js';
import { recogniseRecurrent } from '../passes/recognise/recognise-recurrent.js';
import { resolveShapes } from '../passes/resolve-shapes.js';
import { settleChoices } from '../passes/settle-choices.js';
import { simplifyMovement } from '../passes/simplify-movement.js';
import { unrollLoops, type UnrollLimits } from '../passes/unroll-loops.js';
import type { Layout } from '../typing/window.js';

/** Constants up to this size are computed at conversion; larger results stay in the graph. */
const maxFoldedBytes = 16 * 1024 * 1024;

/** What a format needs of a graph before its rules can write it. */
export interface TargetNeeds {
  /** The layout that the format's spatial operators work in. */
  readonly layout: Layout;
  /** Whether the format takes a composite as it is; others are decomposed. */
  keeps(node: Node): boolean;
  /** For a format without loops: those that become the nodes of their trips. */
  readonly unroll?: UnrollLimits;
  /** Whether names tell the modules of an exported program, which have no other place. */
  readonly namesModules?: boolean;
}

/** Puts the names of nodes and of what they make behind those of their modules, in bodies too. */
function nameModules(graph: Graph): void {
  for (const node of graph.nodes) {
    const { scope } = node.origin;
    if (scope !== undefined)
      for (const named of [node, ...node.outputs]) named.name = `${scope}/${named.name}`;
    for (const { graph: body } of Object.values(node.regions)) nameModules(body);
  }
}

/** What tidies a graph and leaves nodes that compute the same apart. */
const tidy: readonly PassRun[] = [
  passRun(resolveShapes),
  passRun(deadCode),
  // Movement first: it folds into the handles of constants without reading them.
  passRun(simplifyMovement),
  passRun(foldConstants, { maxBytes: maxFoldedBytes }),
];

const clean: readonly PassRun[] = [...tidy, passRun(commonSubexpressions), passRun(deadCode)];

/** What finds composites in what formats spell out, in order, once calls are inlined. */
const recognition: readonly PassRun[] = [
  passRun(settleChoices),
  passRun(deadCode),
  passRun(recogniseBias),
  passRun(recogniseLayerNormalization),
  passRun(recogniseGroupNormalization),
  passRun(recogniseActivations),
  passRun(loopToScan),
  passRun(recogniseRecurrent),
  passRun(deadCode),
];

/** The passes that make a graph ready for a format, in order. */
export function preparation(
  needs: TargetNeeds,
  inputLayout: 'nchw' | 'nhwc' | undefined,
): readonly PassRun[] {
  const layout = inputLayout === 'nchw' ? 'channelsFirst' : 'channelsLast';
  return [
    // Shapes, layouts and composites are seen through calls.
    passRun(inlineCalls),
    ...clean,
    ...recognition,
    ...(inputLayout ? [passRun(setInputLayout, { layout })] : []),
    passRun(lower, { keep: (node: Node) => needs.keeps(node) }),
    ...(needs.unroll ? [passRun(unrollLoops, needs.unroll)] : []),
    passRun(assignLayout, { target: needs.layout }),
    ...clean,
  ];
}

/**
 * A copy of a model's graph, made ready for a format: calls inlined, shapes resolved, constants
 * folded, composites that the format lacks decomposed, spatial operators in the format's layout.
 * The model is not changed. Weights beyond small ones are not read.
 */
export async function prepare(
  model: Model,
  needs: TargetNeeds,
  inputLayout: 'nchw' | 'nhwc' | undefined,
): Promise<Graph> {
  const graph = cloneGraph(model.graph);
  if (needs.namesModules) nameModules(graph);
  for (const { run } of preparation(needs, inputLayout)) await run(graph);
  return graph;
}

/**
 * A copy of a model's main graph as its layers: calls inlined, and composites in the place of what
 * a format spells out, as normalisations and recurrences. Layers whose weights are equal stay
 * apart. The model is not changed.
 */
export async function composed(model: Model): Promise<Graph> {
  const graph = cloneGraph(model.graph);
  for (const { run } of [passRun(inlineCalls), ...tidy, ...recognition]) await run(graph);
  return graph;
}
