import { tensor, type Source } from '@drover/core';
import { mxnet } from '@drover/mxnet';
import { onnx } from '@drover/onnx';
import { AttributeType, type ModelProto, type NodeProto } from '@drover/onnx/codec';
import { tfjs } from '@drover/tfjs';
import { all, expectCarried, expectForeign, failure, found, words } from './hostile-names.js';
import { info, initializer, modelOf, node, sourceOfModel } from './small-model.js';

describe.each(words)('an ONNX model that says %s', (word) => {
  const image = (type: string, nodes: readonly NodeProto[], opset?: number): Promise<Source> =>
    sourceOfModel(
      modelOf(
        { input: [info('x', 'float32', [1, 4, 4, 4])], node: nodes, output: [{ name: 'y' }] },
        opset,
      ),
    );

  it('for an operator', async () => {
    const source = await image(word, [node(word, ['x'], ['y'])]);
    await expectForeign(onnx, source, word, 'not known');
  });

  it('for the domain of an operator', async () => {
    const source = await sourceOfModel({
      ...modelOf({
        input: [info('x', 'float32', [2])],
        node: [node(`${word}:Relu`, ['x'], ['y'])],
        output: [{ name: 'y' }],
      }),
      opsetImport: [
        { domain: '', version: 17 },
        { domain: word, version: 1 },
      ],
    });
    await expectForeign(onnx, source, `${word}.Relu`, 'not known');
  });

  it('for an attribute', async () => {
    const source = await image('Relu', [node('Relu', ['x'], ['y'], { [word]: 1 })]);
    const { foreign, findings } = await found(onnx, source);
    expect(foreign).toEqual([]);
    expect(findings).toEqual([
      expect.objectContaining({
        code: 'core/attribute-ignored',
        message: expect.stringContaining(word),
      }),
    ]);
    for (const to of all) expect(await failure(onnx, to, source)).toEqual([]);
  });

  const ones = (shape: readonly number[]) =>
    tensor('float32', shape, new Array<number>(shape.reduce((a, b) => a * b, 1)).fill(1));
  const w = initializer('w', ones([4, 4, 3, 3]));
  const scales = initializer('s', tensor('float32', [4], [1, 1, 2, 2]));
  const pads = initializer('p', tensor('int64', [8], [0, 0, 1, 1, 0, 0, 1, 1]));
  const grid = initializer('g', ones([1, 2, 2, 2]));
  const gates = [initializer('lw', ones([1, 8, 4])), initializer('lr', ones([1, 8, 2]))];
  it.each([
    ['Resize', 'mode', ['x', '', 's'], {}, [scales], 19],
    ['Resize', 'coordinate_transformation_mode', ['x', '', 's'], {}, [scales], 19],
    ['Resize', 'nearest_mode', ['x', '', 's'], {}, [scales], 19],
    ['Resize', 'keep_aspect_ratio_policy', ['x', '', 's'], {}, [scales], 19],
    ['Upsample', 'mode', ['x', 's'], {}, [scales], 9],
    ['Pad', 'mode', ['x', 'p'], {}, [pads], 17],
    ['Pad', 'mode', ['x'], { pads: [0, 0, 1, 1, 0, 0, 1, 1] }, [], 9],
    ['Conv', 'auto_pad', ['x', 'w'], {}, [w], 17],
    ['ConvTranspose', 'auto_pad', ['x', 'w'], {}, [w], 17],
    ['MaxPool', 'auto_pad', ['x'], { kernel_shape: [2, 2] }, [], 17],
    ['GridSample', 'mode', ['x', 'g'], {}, [grid], 20],
    ['GridSample', 'padding_mode', ['x', 'g'], {}, [grid], 20],
    ['DepthToSpace', 'mode', ['x'], { blocksize: 2 }, [], 17],
    ['Gelu', 'approximate', ['x'], {}, [], 20],
    ['ScatterElements', 'reduction', ['x', 'i', 'x'], {}, ['i'], 18],
    ['LSTM', 'direction', ['l', 'lw', 'lr'], { hidden_size: 2 }, gates, 17],
  ] as const)(
    'for what %s takes as %s',
    async (type, attribute, inputs, rest, constants, opset) => {
      const index = initializer('i', tensor('int64', [1, 4, 4, 4], new Array<bigint>(64).fill(0n)));
      const source = await sourceOfModel(
        modelOf(
          {
            input: [
              inputs[0] === 'l'
                ? info('l', 'float32', [3, 1, 4])
                : info('x', 'float32', [1, 4, 4, 4]),
            ],
            initializer: constants.map((each) => (each === 'i' ? index : each)),
            node: [node(type, [...inputs], ['y'], { ...rest, [attribute]: word })],
            output: [{ name: 'y' }],
          },
          opset,
        ),
      );
      const { foreign } = await found(onnx, source);
      expect(foreign).toEqual([expect.objectContaining({ type })]);
      for (const to of [tfjs, mxnet])
        expect(await failure(onnx, to, source)).toContain('core/foreign-op');
    },
  );

  it('for the activation of a recurrent layer', async () => {
    const lstm: NodeProto = {
      ...node('LSTM', ['x', 'lw', 'lr'], ['y'], { hidden_size: 2 }),
      attribute: [
        {
          name: 'activations',
          type: AttributeType.STRINGS,
          strings: [word, 'Tanh', 'Tanh'].map((each) => new TextEncoder().encode(each)),
        },
        { name: 'hidden_size', type: AttributeType.INT, i: 2 },
      ],
    };
    const source = await sourceOfModel(
      modelOf({
        input: [info('x', 'float32', [3, 1, 4])],
        initializer: gates,
        node: [lstm],
        output: [{ name: 'y' }],
      }),
    );
    await expectForeign(onnx, source, 'LSTM', word);
  });

  it('for functions, values, dimensions, weights and metadata', async () => {
    const domains = [
      { domain: '', version: 17 },
      { domain: word, version: 1 },
    ];
    const model: ModelProto = {
      ...modelOf({
        name: word,
        input: [info(word, 'float32', [word])],
        initializer: [initializer(`${word}_w`, tensor('float32', [1], [3]))],
        node: [
          {
            ...node(`${word}:${word}`, [word], [`${word}_y`], { [word]: { f: 0.5 } }),
            name: word,
          },
          node('Mul', [`${word}_y`, `${word}_w`], [`${word}_z`]),
        ],
        output: [{ name: `${word}_z` }],
      }),
      opsetImport: domains,
      functions: [
        {
          name: word,
          domain: word,
          input: [word],
          output: ['valueOf'],
          attribute: [word],
          opsetImport: domains,
          node: [
            {
              ...node('LeakyRelu', [word], ['valueOf']),
              attribute: [{ name: 'alpha', type: AttributeType.FLOAT, refAttrName: word }],
            },
          ],
        },
      ],
      metadataProps: [{ key: word, value: word }],
    };
    await expectCarried(
      onnx,
      await sourceOfModel(model),
      tensor('float32', [2], [-2, 4]),
      [-3, 12],
    );
  });

  it('for what it gives', async () => {
    const model = modelOf({
      input: [info('x', 'float32', [2])],
      node: [node('Neg', ['x'], [word])],
      output: [info(word, 'float32', [2])],
    });
    const source = await sourceOfModel(model);
    await expectCarried(onnx, source, tensor('float32', [2], [1, -2]), [-1, 2]);
  });
});
