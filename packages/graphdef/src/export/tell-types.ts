import {
  bitsOf,
  coreDiagnostics,
  isFloat,
  isInt,
  nameOf,
  type Diagnostic,
  type DType,
  type Graph,
  type Node,
  type Report,
  type Value,
} from '@drover/core';
import { intervalOf, isWithin, meet, type Interval, type IntegerRanges } from '@drover/core/format';
import type { ExportTarget } from './export-graph.js';

/** The values of a type that a target holds in the type that it has for them. */
export function heldBy(typeOf: ExportTarget['typeOf']): (dtype: DType) => Interval | undefined {
  return (dtype) => {
    const all = intervalOf(dtype);
    const target = typeOf(dtype);
    return all && target ? (meet(all, intervalOf(target) ?? all) ?? all) : all;
  };
}

/** How the results of a node fit the type in which the target computes them. */
type Verdict = 'fit' | 'may leave' | 'leave';

function judge({ dtype }: Value, exact: Interval, held: Interval): Verdict {
  if (isWithin(exact, held)) return 'fit';
  return isWithin(exact, intervalOf(dtype)!) && !meet(exact, held) ? 'leave' : 'may leave';
}

/**
 * Whether the rule for a node sees to it that its integers wrap as in the source: casts between
 * integers do, where the target holds the whole type.
 */
function wrapsAsWritten(node: Node, value: Value, held: Interval): boolean {
  return (
    node.op.name === 'Cast' &&
    isInt(node.inputs[0]!.dtype) &&
    isWithin(intervalOf(value.dtype)!, held)
  );
}

/** Every node of a graph and of the bodies in it. */
function* nodesOf(graph: Graph): Iterable<Node> {
  for (const node of graph.nodes) {
    yield node;
    for (const region of Object.values(node.regions)) yield* nodesOf(region.graph);
  }
}

/** What there is to tell of a value whose `exact` leaves what is held. */
function finding(
  node: Node,
  { dtype }: Value,
  exact: Interval,
  held: Interval,
  { typeOf, file }: ExportTarget,
  verdict: Verdict,
): Diagnostic {
  const origin = { file, node: nameOf(node.origin), op: node.origin.op };
  const span = isWithin(intervalOf(dtype)!, exact)
    ? `any ${dtype}`
    : `${dtype} between ${exact.join(' and ')}`;
  const holds = `the target has ${held.join(' to ')} in ${typeOf(dtype)}`;
  if (verdict === 'leave')
    return coreDiagnostics.diagnostic('not-convertible', {
      message: `${origin.op} ${origin.node} gives ${span}; ${holds}.`,
      origin,
    });
  return coreDiagnostics.diagnostic('dtype-unproved', {
    message: `${origin.op} ${origin.node} may give ${span}; ${holds}.`,
    help: 'Feed what keeps these values within the target, or clip the operands in the source model, which proves that they are.',
    origin,
  });
}

/**
 * Tells once for each node of the source whose integers the target may not hold, and as an error
 * where it does not hold any. Gives the types of those.
 */
function tellIntegers(
  graph: Graph,
  ranges: IntegerRanges,
  target: ExportTarget,
  report: Report,
): ReadonlySet<DType> {
  const held = heldBy(target.typeOf);
  const leaving = new Set<DType>();
  const told = new Set<string>();
  for (const node of nodesOf(graph)) {
    for (const value of node.outputs) {
      const known = ranges.get(value);
      if (
        !known ||
        node.op.name === 'Foreign' ||
        (target.typeOf(value.dtype) ?? value.dtype) === value.dtype
      )
        continue;
      const inside = held(value.dtype);
      const verdict = inside && isInt(value.dtype) ? judge(value, known.exact, inside) : 'fit';
      if (verdict === 'fit' || wrapsAsWritten(node, value, inside!)) continue;
      leaving.add(value.dtype);
      const diagnostic = finding(node, value, known.exact, inside!, target, verdict);
      const key = `${verdict} ${diagnostic.origin.op} ${diagnostic.origin.node}`;
      if (!told.has(key)) report.add(diagnostic);
      told.add(key);
    }
  }
  return leaving;
}

/**
 * Tells of each input and each kind of value that the target computes in another type, and names
 * every node of the source for whose integers nothing proves that they fit. What follows such a
 * node is taken to fit, so that one cause is told once.
 */
export function tellTypes(
  graph: Graph,
  ranges: IntegerRanges,
  target: ExportTarget,
  report: Report,
): void {
  const { typeOf, file } = target;
  const tell = (value: Value, subject: string, more = ''): void => {
    const to = typeOf(value.dtype);
    if (!to || to === value.dtype) return;
    const isUnproved = isFloat(value.dtype) && bitsOf(to) < bitsOf(value.dtype);
    report.add(
      coreDiagnostics.diagnostic(isUnproved ? 'dtype-unproved' : 'dtype-narrowed', {
        message: `${subject} is ${value.dtype} in the source and ${to} in the target${more}.`,
        origin: { file, node: value.name },
      }),
    );
  };
  for (const input of graph.inputs) tell(input, `The input ${input.name}`);
  const leaving = tellIntegers(graph, ranges, target, report);
  const told = new Set<DType>();
  for (const node of graph.nodes) {
    for (const value of node.outputs) {
      if (told.has(value.dtype)) continue;
      told.add(value.dtype);
      const proof = !isInt(value.dtype)
        ? ''
        : leaving.has(value.dtype)
          ? '; values fit except where told'
          : '; every value is proved to fit';
      tell(value, `The result of ${node.origin.op} ${nameOf(node.origin)} (and others)`, proof);
    }
  }
}
