import { memorySource, tensor } from '@drover/core';
import type { JsonValue } from '@drover/core/format';
import { onnx } from '@drover/onnx';
import { tfjs } from '@drover/tfjs';
import { all, bytesOfJson, expectCarried, expectForeign, failure, words } from './hostile-names.js';

describe.each(words)('a TF.js model that says %s', (word) => {
  const float = { type: 'DT_FLOAT' };
  const dims = (...sizes: readonly number[]) => ({
    dim: sizes.map((size) => ({ size: String(size) })),
  });
  const placeholder = (name: string, ...sizes: readonly number[]): JsonValue => ({
    name,
    op: 'Placeholder',
    attr: { dtype: float, shape: { shape: dims(...sizes) } },
  });
  const constant = (name: string, dtype = 'DT_FLOAT'): JsonValue => ({
    name,
    op: 'Const',
    attr: { dtype: { type: dtype } },
  });
  const text = (value: string): JsonValue => ({ s: Buffer.from(value).toString('base64') });
  const list = (value: readonly number[]): JsonValue => ({ list: { i: value.map(String) } });
  const source = (
    nodes: readonly JsonValue[],
    more: Readonly<Record<string, JsonValue>> = {},
    files: readonly (readonly [string, Uint8Array])[] = [],
  ) =>
    memorySource(
      'model.json',
      new Map([
        [
          'model.json',
          bytesOfJson({
            format: 'graph-model',
            modelTopology: { node: nodes },
            weightsManifest: [],
            ...more,
          }),
        ],
        ...files,
      ]),
    );
  const calling = (op: string, inputs: readonly string[], attr: JsonValue): JsonValue => ({
    name: 'y',
    op,
    input: inputs,
    attr,
  });

  it('for an operator', async () => {
    const model = source([placeholder('x', 2), calling(word, ['x'], { T: float })]);
    await expectForeign(tfjs, model, word, 'no rule');
  });

  it('for an attribute', async () => {
    const attr = { T: float, [word]: { i: '1' } };
    const model = source([placeholder('x', 2), calling('Relu', ['x'], attr)]);
    await expectCarried(tfjs, model, tensor('float32', [2], [-2, 3]), [0, 3]);
  });

  const weights = {
    weightsManifest: [
      { paths: ['w.bin'], weights: [{ name: 'w', shape: [2, 2, 3, 3], dtype: 'float32' }] },
    ],
  };
  const w = ['w.bin', new Uint8Array(4 * 36)] as const;
  it.each([
    ['Conv2D', 'padding', { strides: list([1, 1, 1, 1]) }],
    ['Conv2D', 'data_format', { strides: list([1, 1, 1, 1]), padding: text('SAME') }],
  ])('for what %s takes as %s', async (op, attribute, rest) => {
    const model = source(
      [
        placeholder('x', 1, 4, 4, 3),
        constant('w'),
        calling(op, ['x', 'w'], { T: float, ...rest, [attribute]: text(word) }),
      ],
      weights,
      [w],
    );
    await expectForeign(tfjs, model, op, `its ${attribute} is ${word}`);
  });

  it.each([
    ['MaxPool', 'padding', { ksize: list([1, 2, 2, 1]), strides: list([1, 1, 1, 1]) }],
    [
      'AvgPool',
      'data_format',
      { ksize: list([1, 2, 2, 1]), strides: list([1, 1, 1, 1]), padding: text('SAME') },
    ],
    ['DepthToSpace', 'data_format', { block_size: { i: '1' } }],
  ])('for what %s takes as %s', async (op, attribute, rest) => {
    const model = source([
      placeholder('x', 1, 4, 4, 4),
      calling(op, ['x'], { T: float, ...rest, [attribute]: text(word) }),
    ]);
    await expectForeign(tfjs, model, op, `its ${attribute} is ${word}`);
  });

  it('for the mode of a padding', async () => {
    const model = source(
      [
        placeholder('x', 3),
        constant('p', 'DT_INT32'),
        calling('MirrorPad', ['x', 'p'], {
          T: float,
          Tpaddings: { type: 'DT_INT32' },
          mode: text(word),
        }),
      ],
      {
        weightsManifest: [
          { paths: ['w.bin'], weights: [{ name: 'p', shape: [1, 2], dtype: 'int32' }] },
        ],
      },
      [['w.bin', new Uint8Array(8)]],
    );
    await expectForeign(tfjs, model, 'MirrorPad', `its mode is ${word}`);
  });

  it.each([
    ['a kind of value', 'core/json', { T: { [word]: 'DT_FLOAT' } }],
    ['a kind of list', 'core/json', { T: { list: { [word]: ['1'] } } }],
    ['an element type', 'core/json', { T: { type: word } }],
  ])('for %s', async (_, code, attr) => {
    const model = source([placeholder('x', 2), calling('Relu', ['x'], attr)]);
    for (const to of all) expect(await failure(tfjs, to, model)).toContain(code);
  });

  it('for the element type of a weight', async () => {
    const model = source([placeholder('x', 2), constant('w')], {
      weightsManifest: [{ paths: ['w.bin'], weights: [{ name: 'w', shape: [1], dtype: word }] }],
    });
    expect((await failure(tfjs, onnx, model)).every((code) => /^(tfjs|core)\//.test(code))).toBe(
      true,
    );
    expect(await failure(tfjs, onnx, model)).not.toEqual([]);
  });

  it('for functions, nodes, weights, members and the signature', async () => {
    const tensorOf = (name: string) => ({
      [word]: { name: `${name}:0`, dtype: 'DT_FLOAT', tensorShape: dims(2) },
    });
    const [weight, call] = [`${word}_w`, `${word}_c`];
    const multiply = {
      signature: {
        name: word,
        inputArg: [
          { name: word, type: 'DT_FLOAT' },
          { name: 'valueOf', type: 'DT_FLOAT' },
        ],
        outputArg: [{ name: word, type: 'DT_FLOAT' }],
      },
      nodeDef: [{ name: `${word}_m`, op: 'Mul', input: [word, 'valueOf'], attr: { T: float } }],
      ret: { [word]: `${word}_m:z:0` },
    };
    const types = {
      Tin: { list: { type: ['DT_FLOAT', 'DT_FLOAT'] } },
      Tout: { list: { type: ['DT_FLOAT'] } },
    };
    const nodes = [
      placeholder(word, 2),
      constant(weight),
      {
        name: call,
        op: 'StatefulPartitionedCall',
        input: [word, weight],
        attr: { ...types, f: { func: { name: word } } },
      },
    ];
    const model = source(
      nodes,
      {
        [word]: word,
        modelTopology: { node: nodes, library: { function: [multiply] } },
        signature: { inputs: tensorOf(word), outputs: tensorOf(call) },
        weightsManifest: [
          { paths: ['w.bin'], weights: [{ name: weight, shape: [2], dtype: 'float32' }] },
        ],
      },
      [['w.bin', new Uint8Array(new Float32Array([3, -1]).buffer)]],
    );
    await expectCarried(tfjs, model, tensor('float32', [2], [2, 5]), [6, -5]);
  });
});
