import {
  DroverError,
  openModel,
  ops,
  Report,
  toNumbers,
  type Format,
  type Node,
  type Source,
  type Tensor,
} from '@drover/core';
import type { JsonValue } from '@drover/core/format';
import { reference } from '@drover/runtimes/reference';
import { convertInMemory } from './conversion-chain.js';
import { isNotYet, subjects } from './subjects.js';

/** Names that every plain object answers to. */
export const words: readonly string[] = ['constructor', '__proto__', 'toString', 'hasOwnProperty'];

/** The formats that models are carried to. */
export const all: readonly Format[] = subjects.map(({ format }) => format);

/** The foreign operators of a model, with their reasons, and the codes of what else was found. */
export async function found(format: Format, source: Source) {
  const report = new Report();
  const { graph } = await openModel(source, format, { report });
  const foreign = [...graph.nodes].filter((each: Node) => each.is(ops.Foreign));
  return {
    foreign: foreign.map(
      ({ attrs }) => attrs as { readonly type: string; readonly reason: string },
    ),
    findings: report.diagnostics,
  };
}

/** The codes with which a conversion fails; a failure of another kind is thrown. */
export async function failure(
  from: Format,
  to: Format,
  source: Source,
): Promise<readonly string[]> {
  try {
    await convertInMemory(from, to, source);
  } catch (error) {
    if (error instanceof DroverError) return error.diagnostics.map(({ code }) => code);
    throw error;
  }
  return [];
}

/** A model that cannot be expressed says so: when it is read, and when it is to be written. */
export async function expectForeign(format: Format, source: Source, type: string, reason: string) {
  const { foreign } = await found(format, source);
  expect(foreign.map(({ type, reason }) => [type, reason])).toEqual([
    [type, expect.stringContaining(reason)],
  ]);
  for (const other of all)
    if (other !== format) expect(await failure(format, other, source)).toContain('core/foreign-op');
  // Within the format the file is carried over as it is.
  expect(await failure(format, format, source)).toEqual([]);
}

/** What a model gives for an input, as it stands and after it was carried to each format. */
export async function expectCarried(
  format: Format,
  source: Source,
  given: Tensor,
  expected: readonly number[],
) {
  const run = async (of: Format, from: Source) => {
    const loaded = await reference().load({ format: of, source: from });
    const results = await loaded.run(new Map([[loaded.inputs[0]!.name, given]]));
    return [...results.values()].map((result) => [...toNumbers(result)]);
  };
  expect(await run(format, source)).toEqual([expected]);
  for (const to of all) {
    let written: Source;
    try {
      ({ source: written } = await convertInMemory(format, to, source));
    } catch (error) {
      if (isNotYet(error)) continue;
      throw error;
    }
    expect([to.id, await run(to, written)]).toEqual([to.id, [expected]]);
  }
}

/** A JSON file. */
export const bytesOfJson = (json: JsonValue): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(JSON.stringify(json));
