import {
  invertTransform,
  openModel,
  sizeOf,
  tensor,
  toNumbers,
  Weight,
  type StoredTensor,
  type TensorMapping,
  type TensorStep,
} from '@drover/core';
import { convertInMemory, openFixture } from './conversion-chain.js';
import { knownFailures } from './known-failures.js';
import { modelFixtures, type FormatId, type ModelFixture } from './model-fixture.js';
import { formats } from './models.js';

const filled = ({ dtype }: Weight, shape: readonly number[], value: number) =>
  Weight.from(tensor(dtype, shape, new Array<number>(sizeOf(shape)).fill(value)));

/** A weight after a step back; around what has a place there, all is 0. */
function moved(weight: Weight, step: TensorStep): Weight {
  switch (step.kind) {
    case 'transpose':
      return weight.transpose(step.perm);
    case 'reshape':
      return weight.reshape(step.shape);
    case 'slice':
      return weight.slice(step.axis, step.start, step.size);
    case 'reverse':
      return weight.reverse(step.axis);
    case 'cast':
      return weight.cast(step.dtype);
    case 'place': {
      const { axis, start, size } = step;
      const beside = (length: number) =>
        length > 0 ? [filled(weight, weight.shape.with(axis, length), 0)] : [];
      const after = size - start - weight.shape[axis]!;
      return Weight.concat([...beside(start), weight, ...beside(after)], axis);
    }
    case 'affine':
    case 'computed':
      throw new RangeError(`${step.kind} is no step back`);
  }
}

/**
 * How many elements of a stored tensor the way back gives from the one that holds it, and whether
 * they are its own, bit for bit; undefined where there is no way back.
 */
async function foundBack(
  { transform }: TensorMapping,
  stored: Weight,
  held: Weight,
): Promise<{ readonly count: number; readonly isSame: boolean } | undefined> {
  const back = invertTransform(transform);
  if (back.kind === 'none') return undefined;
  const apply = (weight: Weight) => back.transform.steps.reduce(moved, weight);
  const [found, own, isFound] = await Promise.all([
    apply(held).bytes(),
    stored.bytes(),
    apply(filled(held, held.shape, 1)).tensor(),
  ]);
  const width = own.length / sizeOf(stored.shape);
  const places = Array.from(isFound.data, Number);
  const bytesAt = (bytes: Uint8Array, i: number) => bytes.subarray(i * width, (i + 1) * width);
  return {
    count: places.filter(Boolean).length,
    isSame: places.every((is, i) => !is || !Buffer.compare(bytesAt(found, i), bytesAt(own, i))),
  };
}

const cases = (Object.keys(formats) as FormatId[]).flatMap((from) =>
  modelFixtures(from).flatMap((fixture) =>
    (Object.keys(formats) as FormatId[])
      .filter((to) => to !== from)
      .filter(
        (to) => !knownFailures.some(({ model, chain }) => model === fixture.id && chain === to),
      )
      .map((to) => [fixture.id, to, fixture] as const),
  ),
);

/** Whether a tensor is one number: a writer may state it, and a pass see that it is neutral. */
async function isOneNumber({ weight }: StoredTensor): Promise<boolean> {
  const values = Array.from(toNumbers(await weight.tensor()));
  return values.every((each) => each === values[0]);
}

describe.each(cases)('the tensor map of %s to %s', (_, to, fixture: ModelFixture) => {
  it('names every parameter that is not one number, and its way back gives the stored bits', async () => {
    const opened = await openFixture(fixture);
    try {
      const format = formats[fixture.format];
      const source = await openModel(opened.source, format, { params: opened.params });
      const written = await convertInMemory(format, formats[to], opened.source, opened.params);
      const target = await openModel(written.source, formats[to]);
      const { tensors, unmapped } = written.report;
      const used = new Set(
        source.graph
          .constants()
          .flatMap(({ constant }) => constant!.leaves.map(({ name }) => name)),
      );
      for (const name of unmapped.filter((each) => used.has(each)))
        expect([name, await isOneNumber(source.store.get(name)!)]).toEqual([name, true]);
      for (const line of tensors) {
        const held = target.store.get(line.target);
        const stored = source.store.get(line.source);
        expect([line, held !== undefined, stored !== undefined]).toEqual([line, true, true]);
        const back = await foundBack(line, stored!.weight, held!.weight);
        if (!back) continue;
        expect([line, back.isSame]).toEqual([line, true]);
        expect([line, back.count > 0]).toEqual([line, true]);
      }
    } finally {
      opened.close();
    }
  });
});
