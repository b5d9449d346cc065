import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { contents, copyOf, scratch } from '../testing/fixture.js';
import { drover } from '../testing/in-process.js';
import { documents } from './documents.js';

const trained = '../trained/torch-lstm_gru/state_dict.pth';
const other = '../trained/torch-unet/state_dict.pth';
const exported = 'torch-lstm_gru/ts_op17.onnx';

/** The model of TensorFlow.js that was deployed before training went on, and the later weights. */
async function deployed() {
  const folder = scratch();
  const model = join(folder, 'web');
  expect((await drover('convert', copyOf(exported), model, '--to', 'tfjs')).code).toBe(0);
  return { folder, model: join(model, 'model.json'), weights: copyOf(trained) };
}

interface Told {
  readonly diagnostics: readonly { readonly code: string; readonly message: string }[];
  readonly tensors: readonly { readonly source: string; readonly target: string }[];
  readonly files: readonly { readonly sha256: string }[];
}

const told = ({ stdout }: { readonly stdout: string }) => JSON.parse(stdout) as Told;

describe('drover weights', () => {
  it('fills a deployed model, in its own format, and takes the weights out again', async () => {
    const { folder, model, weights } = await deployed();
    const out = join(folder, 'new');
    const applied = await drover('weights', 'apply', weights, '--onto', model, out, '--json');
    expect(applied.code).toBe(0);
    expect(v.is(documents.weights, JSON.parse(applied.stdout))).toBe(true);
    expect(new Set(told(applied).tensors.map(({ source }) => source))).toContain(
      'lstm.weight_hh_l0',
    );

    const back = join(folder, 'back.pth');
    const extracted = await drover(
      'weights',
      'extract',
      join(out, 'model.json'),
      '--like',
      weights,
      back,
      '--json',
    );
    expect(extracted.code).toBe(0);
    const again = join(folder, 'again.safetensors');
    const first = join(folder, 'first.safetensors');
    expect((await drover('convert', back, again)).code).toBe(0);
    expect((await drover('convert', weights, first)).code).toBe(0);
    expect(contents(folder).get('again.safetensors')).toEqual(
      contents(folder).get('first.safetensors'),
    );
  });

  it('takes its own map for the next weights', async () => {
    const { folder, model, weights } = await deployed();
    const [first, second] = [join(folder, 'a.onnx'), join(folder, 'b.onnx')];
    const applied = await drover('weights', 'apply', weights, '--onto', model, first, '--json');
    const map = join(folder, 'map.json');
    writeFileSync(map, applied.stdout);
    const args = [
      'weights',
      'apply',
      weights,
      '--onto',
      first,
      second,
      '--tensor-map',
      map,
      '--json',
    ];
    expect((await drover(...args)).code).toBe(0);
    writeFileSync(map, '{"tensors": [{"source": 1}]}');
    const refused = await drover(...args, '--force');
    expect([refused.code, told(refused).diagnostics[0]]).toEqual([
      4,
      expect.objectContaining({ code: 'weights/map' }),
    ]);
  });

  it('names all that does not fit at once, and writes nothing', async () => {
    const { folder, model } = await deployed();
    const before = [...contents(folder).keys()];
    const ran = await drover(
      'weights',
      'apply',
      copyOf(other),
      '--onto',
      model,
      join(folder, 'new'),
      '--json',
    );
    expect(ran.code).toBe(3);
    const codes = new Set(told(ran).diagnostics.map(({ code }) => code));
    expect(codes).toContain('weights/missing');
    expect(codes).toContain('weights/extra');
    expect([...contents(folder).keys()]).toEqual(before);
  });

  it('tells the line of a rule that is wrong', async () => {
    const { folder, model, weights } = await deployed();
    const rules = join(folder, 'r.yaml');
    writeFileSync(rules, 'layers:\n  a: b\n bad: c\n');
    const ran = await drover(
      'weights',
      'apply',
      weights,
      '--onto',
      model,
      join(folder, 'new'),
      '--rules',
      rules,
      '--json',
    );
    expect([ran.code, told(ran).diagnostics[0]!.message]).toEqual([
      4,
      expect.stringContaining('r.yaml:3:1: '),
    ]);
  });
});

describe('drover convert, to a checkpoint', () => {
  it('chooses, renames and casts the tensors of a model', async () => {
    const folder = scratch();
    const out = join(folder, 'a.safetensors');
    const ran = await drover(
      ...['convert', copyOf(exported), out, '--only', 'embed*', '--rename', 'embed*=e*'],
      ...['--dtype', 'float16', '--json'],
    );
    expect(ran.code).toBe(0);
    expect(told(ran).diagnostics.map(({ code }) => code)).toEqual(['weights/narrowed']);
    const { stdout } = await drover('tensors', out, '--json');
    expect(JSON.parse(stdout)).toMatchObject({ tensors: [{ dtype: 'float16' }] });
    const none = await drover(
      'convert',
      copyOf(exported),
      join(folder, 'b.safetensors'),
      '--only',
      'x',
      '--json',
    );
    expect([none.code, told(none).diagnostics[0]!.code]).toEqual([2, 'weights/none']);
  });
});
