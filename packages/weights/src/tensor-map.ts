import {
  cloneGraph,
  Report,
  Weight,
  type Checkpoint,
  type Graph,
  type Model,
  type TensorMapping,
  type TensorStep,
} from '@drover/core';
import { convertedTo } from './converted.js';
import { weightsDiagnostics } from './diagnostics.js';
import { isNamedBy } from './name-pattern.js';
import { isUnread, typeText, type Allowed } from './report-pairing.js';
import { applied, substituted } from './substitute.js';

/** A tensor map, and the source that it is applied to. */
export interface MapApplication {
  readonly weights: Model | Checkpoint;
  readonly map: readonly TensorMapping[];
  readonly allow?: Allowed | undefined;
  readonly report?: Report | undefined;
}

/** A line of the map that is being evaluated: what it has come to, and the steps to go. */
interface Line {
  readonly weight: Weight;
  readonly steps: readonly TensorStep[];
}

/** What the lines of one tensor come to together: each moved, all put in their places. */
function whole(lines: readonly Line[], target: string): Weight {
  const [first] = lines;
  const last = first!.steps.at(-1);
  const fault = (why: string) =>
    weightsDiagnostics.error('map', {
      message: `${target}: ${why}.`,
      origin: { file: '', node: target },
    });
  if (last === undefined) {
    if (lines.length > 1) throw fault('several of its lines fill the same place');
    return first!.weight;
  }
  if (last.kind === 'computed')
    throw weightsDiagnostics.error('computed', {
      message: `${last.op} computed ${target} from ${last.from.join(', ')}, which a map cannot do again.`,
      origin: { file: '', node: target },
    });
  const before = (line: Line): Line => ({ ...line, steps: line.steps.slice(0, -1) });
  if (last.kind !== 'place') {
    const isSame = lines.every(
      ({ steps }) => JSON.stringify(steps.at(-1)) === JSON.stringify(last),
    );
    if (!isSame) throw fault('its lines end with different steps');
    return applied(whole(lines.map(before), target), last);
  }
  const parts = new Map<number, Line[]>();
  for (const line of lines) {
    const step = line.steps.at(-1);
    if (step?.kind !== 'place' || step.axis !== last.axis || step.size !== last.size)
      throw fault('its lines do not fill one tensor');
    parts.set(step.start, [...(parts.get(step.start) ?? []), before(line)]);
  }
  let end = 0;
  const joined = [...parts]
    .toSorted(([a], [b]) => a - b)
    .map(([start, each]) => {
      const part = whole(each, target);
      if (start !== end)
        throw fault(
          `nothing is said of its elements from ${Math.min(start, end)} on along axis ${last.axis}`,
        );
      end = start + part.shape[last.axis]!;
      return part;
    });
  if (end !== last.size)
    throw fault(`nothing is said of its elements from ${end} on along axis ${last.axis}`);
  return Weight.concat(joined, last.axis);
}

/** The weights that a map makes of a source, by the names of the target. */
function mappedWeights(
  { weights, map, allow = {} }: MapApplication,
  report: Report,
): ReadonlyMap<string, Weight> {
  const lines = new Map<string, Line[]>();
  const used = new Set<string>();
  for (const { source, target, transform } of map) {
    const stored = weights.store.get(source);
    const origin = { file: weights.file, node: source };
    if (!stored) {
      if (!isNamedBy(target, allow.missing ?? []))
        report.add(
          weightsDiagnostics.diagnostic('missing', {
            message: `${weights.file} has no ${source}, which the map takes for ${target}.`,
            origin,
          }),
        );
      continue;
    }
    used.add(stored.name);
    const { weight } = stored;
    if (weight.shape.join() !== transform.shape.join()) {
      report.add(
        weightsDiagnostics.diagnostic('shape', {
          message: `${source} is [${weight.shape.join(', ')}], and the map is for [${transform.shape.join(', ')}].`,
          origin,
        }),
      );
      continue;
    }
    lines.set(target, [...(lines.get(target) ?? []), { weight, steps: transform.steps }]);
  }
  for (const { name, role, weight } of weights.store)
    if (
      !used.has(name) &&
      (role === 'parameter' || role === 'buffer') &&
      !isUnread(name, weight) &&
      !isNamedBy(name, allow.extra ?? [])
    )
      report.add(
        weightsDiagnostics.diagnostic('extra', {
          message: `${name}, ${typeText(weight)}, is not in the map.`,
          origin: { file: weights.file, node: name },
        }),
      );
  report.throwIfErrors();
  return new Map([...lines].map(([target, each]) => [target, whole(each, target)]));
}

/**
 * A model whose stored tensors hold what a tensor map makes of other weights; those that the map
 * does not name stay. Throws a ConversionError with every tensor that the map takes and the source
 * lacks, that differs in shape, or that the map does not name.
 */
export async function applyMap(onto: Model, application: MapApplication): Promise<Model> {
  const { report = new Report() } = application;
  const mapped = mappedWeights(application, report);
  const found = new Map<string, Weight>();
  for (const [name, weight] of mapped) {
    const own = onto.store.get(name)?.weight;
    if (own && own.shape.join() === weight.shape.join())
      found.set(own.name ?? name, await convertedTo(weight, own.dtype, name, report));
    else
      report.add(
        weightsDiagnostics.diagnostic(own ? 'shape' : 'extra', {
          message: own
            ? `${name} is [${own.shape.join(', ')}], and the map makes [${weight.shape.join(', ')}].`
            : `${onto.file} has no ${name}, which the map fills.`,
          origin: { file: onto.file, node: name },
        }),
      );
  }
  report.throwIfErrors();
  const graphs = new Map([...onto.graphs].map(([name, graph]) => [name, cloneGraph(graph)]));
  for (const graph of graphs.values()) fill(graph, ({ name }) => found.get(name!));
  return onto.ofGraphs(graphs);
}

function fill(graph: Graph, other: (stored: Weight) => Weight | undefined): void {
  for (const value of graph.constants()) {
    const weight = substituted(value.constant!, other);
    if (weight !== value.constant) graph.replaceUses(value, graph.constant(weight, value.name));
  }
}
