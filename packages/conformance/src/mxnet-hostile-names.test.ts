import { ByteHandle, memorySource, MemorySink, tensor, type Source } from '@drover/core';
import { mxnet } from '@drover/mxnet';
import { encodeParams } from '@drover/mxnet/codec';
import { onnx } from '@drover/onnx';
import { tfjs } from '@drover/tfjs';
import {
  bytesOfJson,
  expectCarried,
  expectForeign,
  failure,
  found,
  words,
} from './hostile-names.js';

/** A params file with one array of zeros, float32[2, 4]. */
async function zeros(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const sink = new MemorySink();
  const file = await sink.create('w.params');
  const bytes = ByteHandle.of(new Uint8Array(32));
  await encodeParams(file, [{ name, dtype: 'float32', shape: [2, 4], bytes }], 'w.params');
  await file.close();
  await sink.commit();
  return sink.files.get('w.params')!.slice();
}

describe.each(words)('an MXNet model that says %s', (word) => {
  type Attrs = Readonly<Record<string, string>>;
  const variable = (name: string, shape: string) => ({
    op: 'null',
    name,
    attrs: { __shape__: shape, __dtype__: '0' },
    inputs: [],
  });
  const source = async (
    op: string,
    attrs: Attrs,
    shapes: readonly string[] = ['(2, 4)'],
    weight?: string,
  ): Promise<Source> => {
    const names = shapes.map((_, i) =>
      i === 1 && weight ? weight : i === 0 ? word : `${word}_${i}`,
    );
    const json = {
      nodes: [
        ...names.map((name, i) => variable(name, shapes[i]!)),
        { op, name: `${word}_y`, attrs, inputs: names.map((_, i) => [i, 0, 0]) },
      ],
      arg_nodes: names.map((_, i) => i),
      heads: [[names.length, 0, 0]],
      attrs: { mxnet_version: ['int', 10901] },
    };
    const files = new Map([[`${word}-symbol.json`, bytesOfJson(json)]]);
    if (weight) files.set(`${word}-0000.params`, await zeros(`arg:${weight}`));
    return memorySource(`${word}-symbol.json`, files);
  };

  it('for an operator', async () => {
    await expectForeign(mxnet, await source(word, {}), word, 'no rule');
  });

  it('for an attribute', async () => {
    const model = await source('negative', { [word]: '1' });
    await expectCarried(
      mxnet,
      model,
      tensor('float32', [2, 4], [1, 2, 3, 4, 5, 6, 7, 8]),
      [-1, -2, -3, -4, -5, -6, -7, -8],
    );
  });

  const image = ['(1, 3, 4, 4)'];
  it.each([
    ['Activation', 'act_type', {}, undefined],
    ['LeakyReLU', 'act_type', {}, undefined],
    ['Cast', 'dtype', {}, undefined],
    ['softmax', 'dtype', {}, undefined],
    ['SoftmaxActivation', 'mode', {}, undefined],
    ['one_hot', 'dtype', { depth: '3' }, undefined],
    ['_npi_mean', 'dtype', {}, undefined],
    ['_zeros', 'dtype', { shape: '(2,)' }, []],
    ['Pad', 'mode', { pad_width: '(0, 0, 0, 0, 1, 1, 1, 1)' }, image],
    ['Pooling', 'pool_type', { kernel: '(2, 2)' }, image],
    ['Pooling', 'pool_type', { kernel: '(2, 2)', global_pool: 'True' }, image],
    ['Pooling', 'layout', { kernel: '(2, 2)' }, image],
    ['Pooling', 'pooling_convention', { kernel: '(2, 2)' }, image],
    ['_contrib_BilinearResize2D', 'mode', { height: '8', width: '8' }, image],
    ['UpSampling', 'sample_type', { scale: '2', num_args: '1' }, image],
    ['L2Normalization', 'mode', {}, image],
    ['take', 'mode', {}, ['(4, 2)', '(3,)']],
    ['pick', 'mode', {}, ['(4, 2)', '(4,)']],
  ] as const)('for what %s takes as %s', async (op, attribute, attrs, shapes) => {
    const model = await source(op, { ...attrs, [attribute]: word }, shapes);
    const { foreign } = await found(mxnet, model);
    expect(foreign).toEqual([expect.objectContaining({ type: op })]);
    for (const to of [onnx, tfjs])
      expect(await failure(mxnet, to, model)).toContain('core/foreign-op');
  });

  it('for the mode of a recurrent layer', async () => {
    const attrs = { state_size: '2', num_layers: '1', mode: word };
    const shapes = ['(3, 1, 4)', '(2, 4)', '(1, 1, 2)'];
    await expectForeign(mxnet, await source('RNN', attrs, shapes, `${word}_w`), 'RNN', word);
  });

  it('for what decides how many outputs there are', async () => {
    const model = await source('topk', { ret_typ: word });
    expect(await failure(mxnet, onnx, model)).toEqual(['mxnet/symbol']);
  });

  it('for variables, nodes and stored arrays', async () => {
    const model = await source('broadcast_add', {}, ['(2, 4)', '(2, 4)'], `${word}_w`);
    const given = tensor('float32', [2, 4], [1, 2, 3, 4, 5, 6, 7, 8]);
    await expectCarried(mxnet, model, given, [1, 2, 3, 4, 5, 6, 7, 8]);
  });
});
