import { invertTransform, sourcesOf, type TensorTransform } from './tensor-transform.js';
import { tensor, toNumbers, type Tensor } from './tensor.js';
import { Weight } from './weight.js';

const counted = (shape: readonly number[], name?: string, dtype: 'float32' | 'int8' = 'float32') =>
  Weight.from(
    tensor(
      dtype,
      shape,
      Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
    ),
    name,
  );

/** What the steps of a transform that has no place make of a tensor. */
async function applied({ steps }: TensorTransform, given: Tensor): Promise<Tensor> {
  let weight = Weight.from(given);
  for (const step of steps) {
    if (step.kind === 'transpose') weight = weight.transpose(step.perm);
    else if (step.kind === 'reshape') weight = weight.reshape(step.shape);
    else if (step.kind === 'slice') weight = weight.slice(step.axis, step.start, step.size);
    else if (step.kind === 'reverse') weight = weight.reverse(step.axis);
    else if (step.kind === 'cast') weight = weight.cast(step.dtype);
    else throw new RangeError(`${step.kind} is not applied here`);
  }
  return weight.tensor();
}

describe('the stored tensors of a weight', () => {
  it('have the steps that were done with them', () => {
    const weight = counted([4, 2], 'kernel').transpose([1, 0]).cast('float16');
    expect(sourcesOf(weight)).toEqual([
      {
        name: 'kernel',
        transform: {
          dtype: 'float32',
          shape: [4, 2],
          steps: [
            { kind: 'transpose', perm: [1, 0] },
            { kind: 'cast', dtype: 'float16' },
          ],
        },
      },
    ]);
  });

  it('have their places in a join, and what a program made of itself has no line', () => {
    const [a, b] = [counted([2, 3], 'a'), counted([4, 3], 'b')];
    const joined = Weight.concat([a, counted([1, 3]), b], 0).reshape([21]);
    const last = { kind: 'reshape', shape: [21] };
    expect(sourcesOf(joined).map(({ name, transform }) => [name, transform.steps])).toEqual([
      ['a', [{ kind: 'place', axis: 0, start: 0, size: 7 }, last]],
      ['b', [{ kind: 'place', axis: 0, start: 3, size: 7 }, last]],
    ]);
  });

  it('are those of the parts that a cut of a join leaves', () => {
    const joined = Weight.concat([counted([2, 3], 'a'), counted([4, 3], 'b')], 0);
    expect(sourcesOf(joined.slice(0, 2, 4))).toEqual(sourcesOf(counted([4, 3], 'b')));
    expect(sourcesOf(joined.slice(0, 3, 2)).map(({ name }) => name)).toEqual(['b']);
    expect(sourcesOf(joined.slice(0, 1, 2)).map(({ transform }) => transform.steps)).toEqual([
      [
        { kind: 'slice', axis: 0, start: 1, size: 1 },
        { kind: 'place', axis: 0, start: 0, size: 2 },
      ],
      [
        { kind: 'slice', axis: 0, start: 0, size: 1 },
        { kind: 'place', axis: 0, start: 1, size: 2 },
      ],
    ]);
  });

  it('are all that an operator computed a folded constant from, each once', () => {
    const g = counted([2], 'g');
    const product = Weight.computed(tensor('float32', [2], [0, 1]), 'Mul', [g, g.reverse(0)]);
    const sum = Weight.computed(tensor('float32', [2], [7, 9]), 'Add', [
      product,
      counted([2], 'b'),
    ]);
    const step = { kind: 'computed', op: 'Add', from: ['g', 'b'], dtype: 'float32', shape: [2] };
    expect(sourcesOf(sum)).toEqual(
      ['g', 'b'].map((name) => ({
        name,
        transform: { dtype: 'float32', shape: [2], steps: [step] },
      })),
    );
  });

  it('are both of two that were found to be equal', async () => {
    const merged = counted([2], 'a').mergedWith(counted([2], 'b'));
    expect(sourcesOf(merged).map(({ name }) => name)).toEqual(['a', 'b']);
    expect(merged.mergedWith(counted([2], 'b'))).toBe(merged);
    expect(merged.same(counted([2], 'c'))).toBe(true);
    expect(Array.from(toNumbers(await merged.tensor()))).toEqual([0, 1]);
    expect(Array.from(toNumbers(await merged.slice(0, 1, 1).tensor()))).toEqual([1]);
  });
});

describe('the way back', () => {
  it.each([
    ['transposed', (w: Weight) => w.transpose([2, 0, 1])],
    ['reshaped', (w: Weight) => w.reshape([6, 4])],
    ['turned round and transposed', (w: Weight) => w.reverse(1).transpose([1, 2, 0])],
    ['widened', (w: Weight) => w.cast('float64').reshape([24]).reverse(0)],
  ])('of elements %s gives them again', async (_, move) => {
    const stored = counted([2, 3, 4], 'w');
    const moved = move(stored);
    const [source] = sourcesOf(moved);
    const back = invertTransform(source!.transform);
    if (back.kind !== 'exact') throw new RangeError(back.reason);
    expect(back.transform).toMatchObject({ dtype: moved.dtype, shape: moved.shape });
    expect(await applied(back.transform, await moved.tensor())).toEqual(await stored.tensor());
  });

  it('of a cut is its place, and that of a place a cut', () => {
    const joined = Weight.concat([counted([2, 3], 'a'), counted([4, 3], 'b').slice(0, 1, 3)], 0);
    const back = sourcesOf(joined).map(({ transform }) => invertTransform(transform));
    expect(back).toEqual([
      {
        kind: 'exact',
        transform: {
          dtype: 'float32',
          shape: [5, 3],
          steps: [{ kind: 'slice', axis: 0, start: 0, size: 2 }],
        },
      },
      {
        kind: 'exact',
        transform: {
          dtype: 'float32',
          shape: [5, 3],
          steps: [
            { kind: 'slice', axis: 0, start: 2, size: 3 },
            { kind: 'place', axis: 0, start: 1, size: 4 },
          ],
        },
      },
    ]);
  });

  it.each([
    ['float32', 'float64', true],
    ['float64', 'float32', false],
    ['bfloat16', 'float16', false],
    ['bfloat16', 'float32', true],
    ['int32', 'float32', false],
    ['int16', 'float32', true],
    ['int32', 'int64', true],
    ['uint8', 'int8', false],
    ['uint8', 'int16', true],
    ['int8', 'uint16', false],
    ['bool', 'uint8', true],
    ['float32', 'int64', false],
  ] as const)('from %s cast to %s: %s', (dtype, to, isExact) => {
    const shape = [2];
    const back = invertTransform({ dtype, shape, steps: [{ kind: 'cast', dtype: to }] });
    expect(back.kind).toBe(isExact ? 'exact' : 'none');
  });

  it('says why there is none', () => {
    const codes = counted([2], 'q', 'int8').affine('float32', 0.5, 0);
    const b = Weight.computed(tensor('float32', [2], [0, 2]), 'Add', [
      counted([2], 'b1'),
      counted([2], 'b2'),
    ]);
    const reasons = [codes, b.reshape([1, 2]), counted([2], 'w').cast('float16')].map((weight) => {
      const back = invertTransform(sourcesOf(weight)[0]!.transform);
      return back.kind === 'none' ? back.reason : undefined;
    });
    expect(reasons).toEqual([
      'codes of int8 stand for the elements, which others than these would be rounded to',
      'Add computed it from b1, b2',
      'float16 does not hold every float32',
    ]);
  });
});
