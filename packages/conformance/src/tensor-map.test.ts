import {
  ConversionError,
  invertTransform,
  openModel,
  sizeOf,
  tensor,
  toNumbers,
  Weight,
  type Format,
  type StoredTensor,
  type TensorMapping,
  type TensorStep,
} from '@drover/core';
import { convertInMemory, openFixture } from './conversion-chain.js';
import type { ModelFixture } from './model-fixture.js';
import { subjects, writers } from './subjects.js';

interface Chain {
  readonly fixture: ModelFixture;
  readonly from: Format;
  readonly to: Format;
}

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

const cases = subjects.flatMap((from) =>
  from.models.flatMap((fixture) =>
    writers
      .filter(([to]) => to !== from.id)
      .map(([to, target]) => [fixture.id, to, { fixture, from: from.format, to: target.format }]),
  ),
) as readonly (readonly [string, string, Chain])[];

/** Whether a tensor is one number: a writer may state it, and a pass see that it is neutral. */
async function isOneNumber({ weight }: StoredTensor): Promise<boolean> {
  const values = Array.from(toNumbers(await weight.tensor()));
  return values.every((each) => each === values[0]);
}

describe.each(cases)('the tensor map of %s to %s', (_, __, { fixture, from, to }) => {
  it('names every parameter that is not one number, and its way back gives the stored bits', async () => {
    const opened = await openFixture(fixture);
    try {
      const source = await openModel(opened.source, from, { params: opened.params });
      const written = await convertInMemory(from, to, opened.source, opened.params).catch(
        (error: unknown) => {
          // The suite of conversions says whether it is to be refused.
          if (error instanceof ConversionError) return undefined;
          throw error;
        },
      );
      if (!written) return;
      const target = await openModel(written.source, to);
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
