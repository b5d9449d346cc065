import type { ModelFiles, Runtime, Tensor } from '@drover/core';
import { openFile } from '@drover/node';
import { readArrays } from '@drover/numpy/codec';
import { distance } from './distance.js';

/**
 * How far a runtime is from the numbers that the framework itself wrote: for each output the
 * largest difference over the largest magnitude.
 */
export async function goldenRun(
  runtime: Runtime<ModelFiles>,
  model: string,
  golden: string,
): Promise<Map<string, number>> {
  const source = await openFile(model);
  const archive = await openFile(golden);
  const arrays = await readArrays(archive);
  archive.close();
  const loaded = await runtime.load({ source });
  try {
    const prefix = (start: string) =>
      new Map(
        [...arrays].flatMap(([name, value]) =>
          name.startsWith(start) ? [[name.slice(start.length), value] as const] : [],
        ),
      );
    const outputs = await loaded.run(prefix('in_'));
    return new Map(
      [...outputs].map(([name, value]) => [
        name,
        distance(value, closest(name, value, prefix('out_'))),
      ]),
    );
  } finally {
    await loaded.dispose();
    source.close();
  }
}

/** The expected output of this name; where formats rename outputs, the only one of this shape. */
function closest(
  name: string,
  value: Tensor,
  expected: ReadonlyMap<string, Tensor>,
): Tensor | undefined {
  const sameShape = [...expected.values()].filter(
    ({ shape }) => shape.join() === value.shape.join(),
  );
  return expected.get(name) ?? (sameShape.length === 1 ? sameShape[0] : undefined);
}
