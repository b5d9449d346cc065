import { sizeOf, toNumbers, type Graph, type Value } from '@drover/core';
import { constantsOf } from './constants.js';
import { storageStep } from './storage-step.js';

/** How rows that no run read compare with those of another model. */
export type TableComparison =
  | { readonly kind: 'equal' }
  /** The tables are one in the rows that were read, and not in these. */
  | { readonly kind: 'other'; readonly rows: readonly number[] }
  | { readonly kind: 'none' };

/**
 * Holds those rows of a table that may be read at all against the tables of another graph that look
 * alike: equal in every element, or within a step of how they are stored.
 */
export async function compareTables(
  table: Value,
  rows: readonly number[],
  read: ReadonlySet<number>,
  other: Graph,
): Promise<TableComparison> {
  const width = sizeOf(table.constant!.shape.slice(1));
  const own = toNumbers(await table.constant!.tensor());
  let found: TableComparison = { kind: 'none' };
  const shape = table.constant!.shape.join();
  for (const candidate of constantsOf(other)) {
    if (candidate.constant!.shape.join() !== shape) continue;
    const values = toNumbers(await candidate.constant!.tensor());
    const step = storageStep(candidate) ?? storageStep(table);
    const isEqual = (row: number) => {
      for (let i = row * width; i < (row + 1) * width; i++) {
        const allowed = step ? step.absolute + step.relative * Math.abs(own[i]!) : 0;
        if (!(Math.abs(own[i]! - values[i]!) <= allowed)) return false;
      }
      return true;
    };
    const differing = rows.filter((row) => !isEqual(row));
    if (differing.length === 0) return { kind: 'equal' };
    if (read.size > 0 && !differing.some((row) => read.has(row)))
      found = { kind: 'other', rows: differing };
  }
  return found;
}
