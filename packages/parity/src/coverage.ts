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
import type { Baseline } from './baseline.js';
import { compareTables } from './lookup-tables.js';
import { givenFor } from './oracle.js';
import { nearCopies } from './stored-weights.js';
import { worstOf, type Verdict } from './verdict.js';

/** A table of rows that an index looks up, such as an embedding. */
export interface TableCoverage {
  readonly node: string;
  readonly rows: number;
  /** Rows that a run read. */
  readonly read: number;
  /** Whether the rows that no run read are those of the second model, as they are stored. */
  readonly isHeld: boolean;
}

/** What of a model some runs reached. */
export interface Coverage {
  /** `undecided` when weights had no say in any output, `differ` when they are not the second's. */
  readonly verdict: Verdict;
  readonly tables: readonly TableCoverage[];
  /** Inputs that no output moves with. */
  readonly idle: readonly string[];
  /** What was not reached, as sentences. */
  readonly findings: readonly string[];
}

/**
 * Tells what of the first model of a comparison the runs did not reach: rows of tables that no
 * index read, inputs that no output moves with. Rows that were not read are held against those of
 * the second model; where it has none of the kind, weights had no say and nothing is decided,
 * unless the inputs were given: then it is said.
 */
export async function coverageOf(baseline: Baseline, second: Graph | undefined): Promise<Coverage> {
  const { graph, runs, seed, idle } = baseline;
  const isGiven = seed === null;
  const tables: TableCoverage[] = [];
  const findings: string[] = [];
  const verdicts: Verdict[] = ['agree'];
  for (const node of graph.nodes) {
    const rows = tableRows(node);
    if (rows === undefined) continue;
    const read = await rowsRead(
      graph,
      node,
      rows,
      runs.map(({ inputs }) => inputs),
    );
    if (!read || read.size === rows) continue;
    const held = second && (await compareTables(node.inputs[0]!, rows, read, second));
    tables.push({ node: node.name, rows, read: read.size, isHeld: held?.kind === 'equal' });
    if (held?.kind === 'equal') continue;
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
  const copies = second ? await nearCopies(graph, second) : [];
  for (const { first, second: other, elements, differing, most } of copies) {
    verdicts.push('suspicious');
    findings.push(
      `The tensor ${JSON.stringify(first)} is ${JSON.stringify(other)} of the second model in all but ${differing} of its ${elements} elements, which are off by up to ${most.toExponential(1)}.`,
    );
  }
  for (const name of idle) findings.push(`No output moves with the input ${JSON.stringify(name)}.`);
  return { verdict: worstOf(verdicts), tables, idle, findings };
}

/** The rows of a constant table that a node looks up by indices that are not constant. */
function tableRows(node: Node): number | undefined {
  if (!node.is(ops.Gather)) return undefined;
  const { x: table, indices } = node.operands;
  if (!table.constant || !isFloat(table.dtype) || node.attrs.axis !== 0 || indices.constant)
    return undefined;
  return table.constant.shape[0];
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
