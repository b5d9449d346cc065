import {
  Evaluator,
  DroverError,
  isFloat,
  ops,
  type Graph,
  type Node,
  type Tensor,
  type Value,
} from '@drover/core';
import { integerRanges, type ValueRange } from '@drover/core/format';
import type { Baseline } from './baseline.js';
import { compareTables } from './lookup-tables.js';
import { givenFor } from './oracle.js';
import type { DeadUnits } from './reach.js';
import { StoredWeights } from './stored-weights.js';
import { worstOf, type Verdict } from './verdict.js';

/** A table of rows that an index looks up, such as an embedding. */
export interface TableCoverage {
  readonly node: string;
  readonly rows: number;
  /** Rows that an index may name, whatever the inputs. */
  readonly reachable: number;
  /** Rows that a run read. */
  readonly read: number;
  /** Whether those that no run read are those of the second model, as they are stored. */
  readonly isHeld: boolean;
}

/** A body of a node, such as a branch, that no run entered. */
export interface BodyCoverage {
  readonly node: string;
  /** The operator's name of it: `then`, `else`, `body`. */
  readonly body: string;
  /** Whether the second model stores the weights of it. */
  readonly isHeld: boolean;
}

/** What of a model some runs reached. */
export interface Coverage {
  /** `undecided` when weights had no say in any output, `differ` when they are not the second's. */
  readonly verdict: Verdict;
  readonly tables: readonly TableCoverage[];
  /** Bodies that no run entered; empty where the reference cannot tell. */
  readonly bodies: readonly BodyCoverage[];
  /**
   * Channels of activations behind convolutions and dense layers, and how many of them were zero in
   * all that the reference evaluated: weights that feed these alone had no say.
   */
  readonly units: { readonly all: number; readonly dead: number };
  /** Inputs that no output moves with. */
  readonly idle: readonly string[];
  /** What was not reached, as sentences. */
  readonly findings: readonly string[];
}

/**
 * Tells what of the first model of a comparison the runs did not reach: rows of tables that no
 * index read, branches not taken, layers that gave nothing but zeros, inputs that no output moves
 * with. Weights that had no say so are held against those that the second model stores; where it
 * has none of the kind nothing is decided, unless the inputs were given: then it is said.
 */
export async function coverageOf(baseline: Baseline, second: Graph | undefined): Promise<Coverage> {
  const { graph, runs, seed, idle } = baseline;
  const isGiven = seed === null;
  const tables: TableCoverage[] = [];
  const findings: string[] = [];
  const verdicts: Verdict[] = ['agree'];
  const tableNodes = [...graph.nodes].filter((node) => tableRows(node) !== undefined);
  const ranges = tableNodes.length > 0 ? integerRanges(graph) : new Map<Value, ValueRange>();
  for (const node of tableNodes) {
    const rows = tableRows(node)!;
    const read = await rowsRead(
      graph,
      node,
      rows,
      runs.map(({ inputs }) => inputs),
    );
    const reachable = rowsWithin(ranges.get(node.inputs[1]!)?.range, rows);
    if (!read || read.size === rows) continue;
    const isAllRead = reachable.every((row) => read.has(row));
    const held =
      second && !isAllRead
        ? await compareTables(node.inputs[0]!, reachable, read, second)
        : undefined;
    const isHeld = isAllRead || held?.kind === 'equal';
    tables.push({ node: node.name, rows, reachable: reachable.length, read: read.size, isHeld });
    if (isHeld) continue;
    const name = JSON.stringify(node.inputs[0]!.name);
    if (held?.kind === 'other') {
      verdicts.push('differ');
      findings.push(
        `${held.rows.length} rows of the table ${name} that no run read are not those of the second model, the first of them ${held.rows[0]}.`,
      );
      continue;
    }
    if (!isGiven) verdicts.push('undecided');
    findings.push(
      `The runs read ${read.size} of the ${rows} rows of the table ${name}, and the second model has no such table to hold the others against.`,
    );
  }
  const stored = second && (await StoredWeights.of(second));
  const copies = stored ? await (await StoredWeights.of(graph)).nearCopies(stored) : [];
  for (const { first, second: other, elements, differing, most } of copies) {
    verdicts.push('suspicious');
    findings.push(
      `The tensor ${JSON.stringify(first)} is ${JSON.stringify(other)} of the second model in all but ${differing} of its ${elements} elements, which are off by up to ${most.toExponential(1)}.`,
    );
  }
  const { bodies, units } = await reachOf(baseline, stored, (finding, isHeld) => {
    findings.push(finding);
    if (!isHeld && !isGiven) verdicts.push('undecided');
  });
  for (const name of idle) findings.push(`No output moves with the input ${JSON.stringify(name)}.`);
  return { verdict: worstOf(verdicts), tables, bodies, units, idle, findings };
}

/**
 * What the evaluations entered and brought to life; `tell` is told what they did not, and whether
 * the second model stores the weights of it.
 */
async function reachOf(
  { graph, runs }: Baseline,
  stored: StoredWeights | undefined,
  tell: (finding: string, isHeld: boolean) => void,
): Promise<Pick<Coverage, 'bodies' | 'units'>> {
  const reach = (await runs[0]!.oracle())?.reach;
  if (!reach) return { bodies: [], units: { all: 0, dead: 0 } };
  for (const { inputs } of runs.slice(1)) {
    if (reach.notEntered(graph).length === 0 && !reach.deadUnits().some(isAllDead)) break;
    try {
      await new Evaluator(graph, givenFor(graph, inputs, '')).run((step) => reach.add(step));
    } catch (error) {
      if (!(error instanceof DroverError)) throw error;
    }
  }
  const bodies: BodyCoverage[] = [];
  for (const { node, name, graph: body } of reach.notEntered(graph)) {
    const weights = await StoredWeights.of(body);
    const isHeld = weights.isEmpty || (stored?.holds(weights) ?? false);
    bodies.push({ node: node.name, body: name, isHeld });
    tell(`No run entered the body ${name} of the node ${JSON.stringify(node.name)}.`, isHeld);
  }
  const layers = reach.deadUnits();
  for (const { node, units } of layers.filter(isAllDead))
    tell(`All ${units} channels of ${JSON.stringify(node.name)} were zero in every run.`, false);
  const sum = (all: readonly number[]) => all.reduce((total, each) => total + each, 0);
  return {
    bodies,
    units: {
      all: sum(layers.map(({ units }) => units)),
      dead: sum(layers.map(({ dead }) => dead)),
    },
  };
}

const isAllDead = ({ units, dead }: DeadUnits) => units > 0 && dead === units;

/** The rows of a constant table that a node looks up by indices that are not constant. */
function tableRows(node: Node): number | undefined {
  if (!node.is(ops.Gather)) return undefined;
  const { x: table, indices } = node.operands;
  if (!table.constant || !isFloat(table.dtype) || node.attrs.axis !== 0 || indices.constant)
    return undefined;
  return table.constant.shape[0];
}

/** Rows that indices in a range may look up, also from the end. */
function rowsWithin(range: ValueRange['range'] | undefined, rows: number): number[] {
  const [low, high] = range?.map(Number) ?? [-rows, rows - 1];
  return Array.from({ length: rows }, (_, row) => row).filter(
    (row) => (low! <= row && row <= high!) || (low! <= row - rows && row - rows <= high!),
  );
}

/** Rows that runs read; undefined where the indices rest on more than integers of the inputs. */
async function rowsRead(
  graph: Graph,
  node: Node,
  rows: number,
  runs: readonly ReadonlyMap<string, Tensor>[],
): Promise<Set<number> | undefined> {
  const indices = node.inputs[1]!;
  const inputs = wholeInputs(indices);
  if (!inputs) return undefined;
  const read = new Set<number>();
  for (const run of runs) {
    try {
      const given = new Map([...givenFor(graph, run, '')].filter(([input]) => inputs.has(input)));
      const [found] = await new Evaluator(graph, given, { wanted: [indices] }).run();
      for (const index of found!.data) {
        const row = Number(index);
        read.add(row < 0 ? row + rows : row);
      }
    } catch (error) {
      if (!(error instanceof DroverError)) throw error;
      return undefined;
    }
  }
  return read;
}

/** The graph inputs that a value rests on, where all on the way is cheap: no floats but casts. */
function wholeInputs(value: Value): Set<Value> | undefined {
  const found = new Set<Value>();
  const seen = new Set<Value>();
  const visit = (each: Value): boolean => {
    if (seen.has(each) || each.constant) return true;
    seen.add(each);
    if (!each.producer) {
      found.add(each);
      return true;
    }
    if (isFloat(each.dtype)) return false;
    return [...each.producer.dependencies()].every(visit);
  };
  return visit(value) ? found : undefined;
}
