import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { contents, copyOf, scratch } from '../testing/fixture.js';
import { drover } from '../testing/in-process.js';

interface Told {
  readonly diagnostics: readonly { readonly code: string; readonly message: string }[];
  readonly tensors: readonly { readonly name: string }[];
}

/** Runs a command with --json: its exit code, and the codes of what it told. */
async function ran(...args: readonly string[]) {
  const { code, stdout } = await drover(...args, '--json');
  const { diagnostics, tensors } = JSON.parse(stdout) as Told;
  return { code, codes: diagnostics.map((each) => each.code), tensors };
}

const bytesOf = (path: string) => readFileSync(path).toString('base64');

const symbol = 'mxnet-mobilenet/model-symbol.json';
const params = 'mxnet-mobilenet/model-0000.params';

describe('weights of any file', () => {
  it.each([
    ['torch-resnet/dynamo_op18_bn.onnx', 'a.npz'],
    ['torch-resnet/dynamo_op18_bn.onnx', 'a.params'],
    ['torch-resnet/dynamo_op18_bn.onnx', 'weights_manifest.json'],
    ['tf-resnet/tfjs/model.json', 'a.npz'],
    ['tf-resnet/tfjs/model.json', 'weights_manifest.json'],
    ['mxnet-gru/model-symbol.json', 'a.npz'],
    ['mxnet-gru/model-symbol.json', 'a.params'],
  ])('%s is also the checkpoint %s', async (fixture, name) => {
    const model = copyOf(fixture);
    const out = join(scratch(), name);
    expect((await ran('convert', model, out)).code).toBe(0);
    const [first, second] = [await ran('tensors', model), await ran('tensors', out)];
    expect(second.tensors.map((each) => each.name)).toEqual(first.tensors.map((each) => each.name));
  });

  // The names of Module, arg:conv0_weight, are those of the layers of the conversion.
  it.each(['out.onnx', 'web'])('of a params file go onto %s, and come out of it', async (name) => {
    const folder = scratch();
    const [model, filled] = [join(folder, `old-${name}`), join(folder, `new-${name}`)];
    const to = name === 'web' ? ['--to', 'tfjs'] : [];
    expect((await ran('convert', copyOf(symbol), model, ...to)).code).toBe(0);
    const weights = join(folder, 'new.params');
    const archive = join(folder, 'archive.npz');
    expect((await ran('convert', copyOf(params), weights)).code).toBe(0);
    expect((await ran('convert', weights, archive)).code).toBe(0);
    const applied = await ran('weights', 'apply', weights, '--onto', model, filled, ...to);
    expect([applied.code, applied.codes]).toEqual([0, []]);
    for (const [like, out] of [
      [weights, 'back.params'],
      [archive, 'back.npz'],
    ] as const) {
      const back = join(folder, out);
      expect((await ran('weights', 'extract', filled, '--like', like, back)).code).toBe(0);
      expect(bytesOf(back)).toBe(bytesOf(like));
    }
  });

  it('of a model go onto another, under its names or its own, and into a file of weights', async () => {
    const folder = scratch();
    const [onnx, web] = [copyOf('torch-squeezenet/dynamo_op18.onnx'), join(folder, 'web')];
    expect((await ran('convert', onnx, web, '--to', 'tfjs')).code).toBe(0);
    for (const [what, onto, out] of [
      [web, onnx, 'again.onnx'],
      [onnx, web, 'again'],
      [onnx, web, 'alone.npz'],
    ] as const)
      expect((await ran('weights', 'apply', what, '--onto', onto, join(folder, out))).code).toBe(0);
    const [like, own] = [join(folder, 'like.npz'), join(folder, 'own.npz')];
    expect((await ran('weights', 'extract', web, '--like', onnx, like)).code).toBe(0);
    // The sizes that the graph has as constants are no weights.
    expect(
      (await ran('convert', onnx, own, '--only', 'classifier*', '--only', 'features*')).code,
    ).toBe(0);
    expect(bytesOf(like)).toBe(bytesOf(own));
  });

  it('have no graph to choose, and no place in a format without them', async () => {
    const [weights, out] = [copyOf('../checkpoints/mxnet-gluon/net.params'), scratch()];
    const convert = (...args: string[]) => ran('convert', weights, ...args);
    const refused = { code: 2, codes: ['core/no-entry'] };
    expect(await convert(join(out, 'a.npz'), '--entry', 'main')).toMatchObject(refused);
    expect(await convert(join(out, 'a.onnx'))).toMatchObject({ codes: ['core/incapable'] });
    expect(await convert(join(out, 'a-symbol.json'))).toMatchObject({ codes: ['core/incapable'] });
    expect(await convert(join(out, 'model.json'))).toMatchObject({ codes: ['core/incapable'] });
    expect(await ran('inspect', weights)).toMatchObject({ codes: ['core/incapable'] });
    expect(contents(out).size).toBe(0);
  });

  it('are replaced with the symbol that they are of', async () => {
    const path = copyOf(symbol);
    const folder = join(path, '..');
    const before = [...contents(folder).keys()];
    expect((await ran('convert', path, path, '--rewrite', '--force')).code).toBe(0);
    expect([...contents(folder).keys()]).toEqual(before);
  });

  it('are written into a folder under their usual name', async () => {
    const weights = copyOf('../checkpoints/mxnet-gluon/net.params');
    const out = join(scratch(), 'out');
    for (const force of [[], ['--force']]) {
      expect((await ran('convert', weights, out, '--to', 'tfjs', ...force)).code).toBe(0);
      expect([...contents(out).keys()]).toContain('weights_manifest.json');
    }
  });
});

/** Replaces the first place of some bytes, as latin1 text, by as many others. */
function replaced(path: string, from: string, to: string): void {
  const before = readFileSync(path, 'latin1');
  expect([before.includes(from), from.length]).toEqual([true, to.length]);
  writeFileSync(path, before.replace(from, to), 'latin1');
}

const npz = '../checkpoints/numpy-every_dtype/weights.npz';
const npy = '../checkpoints/numpy-array/dense.kernel.npy';
const module = '../checkpoints/mxnet-module/net-0000.params';
const manifest = '../checkpoints/tfjs-manifest/weights_manifest.json';

describe('a hostile file of weights', () => {
  const cut = (by: number) => (path: string) =>
    writeFileSync(path, readFileSync(path).subarray(0, -by));
  it.each<readonly [string, string, (path: string) => void, string]>([
    ['a cut archive', npz, cut(10), 'zip/format'],
    ['a cut array', npy, cut(1), 'numpy/size'],
    ['an array with more', npy, (path) => appendFileSync(path, 'x'), 'numpy/size'],
    ['a shape that is a lie', npy, (path) => replaced(path, '(4, 3)', '(9, 9)'), 'numpy/size'],
    ['a pickled object', npy, (path) => replaced(path, "'<f4'", "'|O8'"), 'numpy/dtype'],
    ['a list of arrays cut off', module, cut(1), 'mxnet/params'],
    [
      '2^60 arrays',
      module,
      (path) => {
        const bytes = readFileSync(path);
        bytes.writeBigUInt64LE(2n ** 60n, 16);
        writeFileSync(path, bytes);
      },
      'mxnet/params',
    ],
    [
      'one name for two arrays',
      '../checkpoints/mxnet-gluon/net.params',
      (path) => replaced(path, '0.weight', '2.weight'),
      'core/duplicate',
    ],
    [
      'a shape beyond the shards',
      manifest,
      (path) => replaced(path, '[3, 3, 2, 5]', '[9, 9, 9, 9]'),
      'tfjs/weights',
    ],
    [
      'a shard elsewhere',
      manifest,
      (path) => replaced(path, 'group1-shard1', '../oup1-shard'),
      'core/path',
    ],
  ])('%s', async (_, fixture, spoil, code) => {
    const path = copyOf(fixture);
    spoil(path);
    const out = scratch();
    const { codes } = await ran('convert', path, join(out, 'a.npz'));
    expect([basename(path), codes]).toEqual([basename(path), [code]]);
    expect(contents(out).size).toBe(0);
  });
});
