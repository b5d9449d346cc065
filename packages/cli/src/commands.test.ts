import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { toNumbers } from '@drover/core';
import { formats } from '@drover/formats';
import { openFile } from '@drover/node';
import { encodeNpz, readArrays } from '@drover/numpy/codec';
import * as v from 'valibot';
import { contents, copyOf, model, scratch } from '../testing/fixture.js';
import { drover } from '../testing/in-process.js';
import { documents } from './documents.js';

const arraysOf = async (path: string) => readArrays(await openFile(path));

/**
 * Runs a command with --json: its exit code and its document, which has to be valid and to hold
 * nothing beside what the schema says.
 */
async function json<Name extends keyof typeof documents>(name: Name, ...args: readonly string[]) {
  const { code, stdout, stderr } = await drover(...args, '--json');
  expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  expect(stderr).toBe('');
  const document: unknown = JSON.parse(stdout);
  const valid = v.parse(documents[name] as v.GenericSchema, document);
  expect(valid).toEqual(document);
  return { code, document: valid as v.InferOutput<(typeof documents)[Name]> };
}

const codes = ({ diagnostics }: { readonly diagnostics: readonly { readonly code: string }[] }) =>
  diagnostics.map(({ code }) => code);

describe('convert', () => {
  it('tells what it wrote', async () => {
    const out = join(scratch(), 'web');
    const { code, document } = await json(
      'convert',
      'convert',
      model('torch-unet/ts_op11.onnx'),
      out,
      '--to',
      'tfjs',
    );
    expect(code).toBe(0);
    expect(document).toMatchObject({ from: 'onnx', to: 'tfjs' });
    expect(document.files.map(({ path }) => path)).toEqual([
      join(out, 'group1-shard1of1.bin'),
      join(out, 'model.json'),
    ]);
    expect(document.files.map(({ path, bytes }) => readFileSync(path).length - bytes)).toEqual([
      0, 0,
    ]);
    const kernel = document.tensors.find(({ source }) => source === 'enc2.0.weight')!;
    expect(kernel.transform).toEqual({
      dtype: 'float32',
      shape: [12, 8, 3, 3],
      steps: [{ kind: 'transpose', perm: [2, 3, 1, 0] }],
    });
    expect(document.peakBytes).toBeGreaterThan(1e6);
  });

  it('says so in a line', async () => {
    const out = join(scratch(), 'model.json');
    const { code, stdout, stderr } = await drover('convert', model('torch-unet/ts_op11.onnx'), out);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /^.*ts_op11\.onnx \(onnx\) → .*model\.json \(tfjs\): 2 files, [\d,]+ bytes, \d+\.\d\d s\n$/,
    );
  });

  it('verifies what it wrote by running both sides', async () => {
    const { code, document } = await json(
      'convert',
      'convert',
      model('torch-unet/ts_op11.onnx'),
      join(scratch(), 'model.json'),
      '--verify',
    );
    expect(code).toBe(0);
    expect(document.parity).toMatchObject({
      verdict: 'agree',
      runtimes: ['onnxruntime', 'tfjs'],
      seed: 0,
      outputs: [{ name: 'mask', agree: true }],
    });
  });

  it('verifies images in another layout', async () => {
    const { code, document } = await json(
      'convert',
      'convert',
      model('torch-mobilenet_v2/ts_op17.onnx'),
      join(scratch(), 'model.json'),
      '--verify',
      '--input-layout',
      'nhwc',
    );
    expect([code, document.parity?.verdict]).toEqual([0, 'agree']);
  });

  it('agrees as quantised, by what eight bits do to the weights and no further', async () => {
    const { code, document } = await json(
      'convert',
      'convert',
      model('torch-unet/ts_op11.onnx'),
      join(scratch(), 'model.json'),
      '--verify',
      '--quantize',
      'u8',
    );
    expect(code).toBe(0);
    const { verdict, outputs } = document.parity!;
    expect([verdict, outputs[0]!.asQuantised]).toEqual(['agree', true]);
    expect(outputs[0]!.error!).toBeGreaterThan(1e-3);
    expect(outputs[0]!.error!).toBeLessThan(outputs[0]!.tolerance!);
    expect(outputs[0]!.tolerance!).toBeLessThan(0.1);
  });

  it('writes over its own input when told to, and verifies against what the input was', async () => {
    const path = copyOf('tf-unet/tfjs/model.json');
    const before = readFileSync(path);
    const { code, document } = await json(
      'convert',
      'convert',
      path,
      path,
      '--force',
      '--shard-size',
      '10000',
      '--verify',
    );
    expect([code, document.parity?.verdict]).toEqual([0, 'agree']);
    expect(document.files.length).toBeGreaterThan(2);
    expect(readFileSync(path).equals(before)).toBe(false);
  });

  it('writes nothing on --dry-run', async () => {
    const folder = scratch();
    const { code, stdout } = await drover(
      'convert',
      model('torch-unet/ts_op11.onnx'),
      join(folder, 'model.json'),
      '--dry-run',
    );
    expect([code, stdout]).toEqual([
      0,
      `${model('torch-unet/ts_op11.onnx')} converts from onnx to tfjs.\n`,
    ]);
    expect(contents(folder)).toEqual(new Map());
  });

  it('gives equal bytes for equal input', async () => {
    const [one, two] = [scratch(), scratch()];
    for (const folder of [one, two])
      await drover('convert', model('tf-unet/tfjs'), join(folder, 'model.onnx'));
    expect(contents(one)).toEqual(contents(two));
    expect(contents(one).size).toBe(1);
  });
});

describe('usage', () => {
  const input = model('torch-unet/ts_op11.onnx');
  it.each([
    [['frob'], "Unknown command 'frob'."],
    [['convert', '--xyzzy', 'a', 'b'], "Unknown option '--xyzzy'."],
    [['convert', '--forec', 'a', 'b'], "Unknown option '--forec' (Did you mean --force?)"],
    [['convert', 'a'], "Missing required argument 'out'."],
    [
      ['convert', 'a', 'b', 'c'],
      "Too many arguments for 'convert'. Expected 2 arguments but got 3.",
    ],
    [
      ['convert', 'a', 'b.json', '--shard-size', '0'],
      '--shard-size must be a size in bytes of at least 1, such as 4000000 or 4MB, not "0".',
    ],
    [
      ['convert', 'a', 'b.onnx', '--opset', '1e1'],
      '--opset must be a whole number from 13 to 23, not "1e1".',
    ],
    [
      ['convert', 'a', 'b.json', '--quantize', 'u4'],
      '--quantize must be one of f16, u8, u16, not "u4".',
    ],
    [['convert', 'nowhere.onnx', 'b.json'], 'There is no file "nowhere.onnx".'],
    [['convert', input, 'out'], '"out" does not tell which format to write.'],
    [
      ['convert', input, 'out', '--to', 'caffe'],
      `There is no format "caffe"; there are ${formats.map(({ about }) => about.id).join(', ')}.`,
    ],
    [
      ['convert', input, 'out.json', '--to', 'onnx'],
      '"out.json" is the name of a model in tfjs, and --to says onnx.',
    ],
    [
      ['convert', input, 'out.json', '--opset', '17'],
      '--opset is for ONNX, and the output is TensorFlow.js.',
    ],
    [
      ['convert', input, 'out.onnx', '--quantize', 'u8'],
      '--quantize is for TensorFlow.js, and the output is ONNX.',
    ],
    [['convert', input, 'out.json', '--seed', '1'], '--seed is for --verify.'],
    [
      ['convert', input, 'out.json', '--dry-run', '--verify'],
      '--dry-run writes nothing that --verify could run.',
    ],
    [['run', input, '--runtime', 'tfjs'], 'tfjs does not run models in onnx.'],
    [['run', input, '--outputs', 'out.npy'], '--outputs is written as .npz.'],
    [['run', input], 'The input "image" is not given. The model declares "image".'],
    [['parity', input], 'parity needs a second model, or --expected.'],
    [['parity', input, '--expected', 'a.npz'], '--expected needs the --inputs that it belongs to.'],
    [
      ['parity', input, input, '--expected', 'a.npz'],
      'parity takes a second model or --expected, not both.',
    ],
    [['explain', 'core/frob'], 'There is no diagnostic "core/frob".'],
    [['explain', 'core/constructor'], 'There is no diagnostic "core/constructor".'],
    [['explain', 'toString'], 'There is no diagnostic "toString".'],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await drover(...args);
    expect({ code, stdout, said: stderr.split('\n')[0]!.replace(/^error [a-z/-]+: /, '') }).toEqual(
      { code: 2, stdout: '', said: message },
    );
    expect(stderr).toMatch(/\n {2}\S.*\n$/);
    const { code: same, document } = await json('failure', ...args);
    expect([same, document.diagnostics[0]!.message]).toEqual([2, message]);
  });

  it.each([
    [
      ['convert', input, '-', '--to', 'onnx', '--json'],
      'Standard output holds the model or the document of --json, not both.',
    ],
    [
      ['convert', input, '-', '--to', 'onnx', '--verify'],
      '--verify reads the output again, so it needs a file.',
    ],
    [
      ['convert', input, '-', '--to', 'tfjs'],
      'Standard output holds one file already, so "model.json" has no place.',
    ],
    [
      ['run', input, '--outputs', '-', '--json'],
      'Standard output holds the results or the document of --json, not both.',
    ],
  ])('standard output: %j', async (args, message) => {
    const { code, stdout, stderr } = await drover(...args);
    expect(code).toBe(2);
    expect(stdout + stderr).toContain(message);
  });

  it('shows what there is when it is given nothing', async () => {
    const { code, stdout, stderr } = await drover();
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^Usage: drover[^]*error cli\/usage: No command is given\.\n {2}See/);
  });

  it('lists the commands on --help', async () => {
    const { code, stdout, stderr } = await drover('--help');
    expect([code, stderr]).toEqual([0, '']);
    for (const name of ['convert', 'inspect', 'run', 'parity', 'explain'])
      expect(stdout).toContain(`\n  ${name} `);
  });
});

describe('inspect', () => {
  it('tells what a model is', async () => {
    const { code, document } = await json(
      'inspect',
      'inspect',
      model('torch-lstm_gru/ts_op17.onnx'),
    );
    expect(code).toBe(0);
    expect(document).toMatchObject({
      format: 'onnx',
      versions: { opset: '17' },
      producer: 'pytorch 2.15.0',
      inputs: [{ name: 'tokens', dtype: 'int64', shape: ['batch', 'length'] }],
      outputs: [{ name: 'scores' }, { name: 'lstm_state' }, { name: 'gru_state' }],
      targets: { tfjs: { ok: true, gaps: [] }, mxnet: { ok: true, gaps: [] } },
    });
    expect(document.ops).toMatchObject({ LSTM: 2, GRU: 1 });
    const keras = await json('inspect', 'inspect', model('tf-mobilenet_v2/tfjs/model.json'));
    expect(keras.document.ops).toMatchObject({
      _FusedConv2D: 9,
      FusedDepthwiseConv2dNative: 4,
      _FusedMatMul: 1,
    });
  });

  it('lists every gap at once, and counts', async () => {
    const path = copyOf('mxnet-lenet/model-symbol.json').replace(/model-symbol\.json$/, '');
    mkdirSync(join(path, 'onnx'));
    const out = join(path, 'onnx', 'model.onnx');
    await drover('convert', model('torch-unet/ts_op11.onnx'), out);
    const bytes = readFileSync(out)
      .toString('latin1')
      .replaceAll('LeakyRelu', 'LeakyFrob')
      .replaceAll('Sigmoid', 'Sigmold');
    writeFileSync(out, Buffer.from(bytes, 'latin1'));
    const { code, document } = await json('inspect', 'inspect', out);
    expect(code).toBe(0);
    expect(document.ops).toMatchObject({ LeakyFrob: 6, Sigmold: 1 });
    for (const id of ['tfjs', 'mxnet']) {
      expect(document.targets[id]!.ok).toBe(false);
      expect(
        Object.fromEntries(document.targets[id]!.gaps.map(({ op, count }) => [op, count])),
      ).toMatchObject({
        LeakyFrob: 6,
        Sigmold: 1,
      });
    }
  });
});

describe('run', () => {
  it.each([
    ['onnxruntime', 'torch-unet/ts_op11.onnx', 'torch-unet/golden.npz', 'mask'],
    ['tfjs', 'tf-unet/tfjs', 'tf-unet/golden.npz', 'Identity'],
    ['reference', 'mxnet-lenet/model-symbol.json', 'mxnet-lenet/golden.npz', 'softmax_output'],
  ])('%s gives what the framework gave', async (runtime, path, golden, name) => {
    const outputs = join(scratch(), 'out.npz');
    const { code, document } = await json(
      'run',
      'run',
      model(path),
      '--inputs',
      model(golden),
      '--outputs',
      outputs,
      '--runtime',
      runtime,
    );
    expect([code, document.runtime, document.outputs.map((output) => output.name)]).toEqual([
      0,
      runtime,
      [name],
    ]);
    const got = toNumbers((await arraysOf(outputs)).get(name)!);
    const wanted = toNumbers(
      [...(await arraysOf(model(golden)))].find(([key]) => key.startsWith('out_'))![1],
    );
    expect(got).toHaveLength(wanted.length);
    const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const worst = wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - got[i]!)), 0);
    expect(worst / largest).toBeLessThan(5e-6);
  });

  it('takes arrays in other files and under other names, and says so', async () => {
    const folder = scratch();
    const image = (await arraysOf(model('torch-unet/golden.npz'))).get('in_image')!;
    const file = join(folder, 'picture.npz');
    writeFileSync(
      file,
      await encodeNpz(
        new Map([
          ['picture', image],
          ['spare', { dtype: 'float32', shape: [1], data: Float64Array.of(1) }],
        ]),
      ),
    );
    const { code, document } = await json(
      'run',
      'run',
      model('torch-unet/ts_op11.onnx'),
      '--inputs',
      file,
    );
    expect(code).toBe(0);
    expect(codes(document)).toEqual(['parity/array-by-order', 'parity/array-unused']);
    expect(
      (await json('failure', 'run', model('torch-unet/ts_op11.onnx'), '--inputs', file, file))
        .document.diagnostics[0]!.code,
    ).toBe('cli/same-array');
  });

  it('replaces nothing without --force', async () => {
    const out = join(scratch(), 'out.npz');
    writeFileSync(out, 'mine');
    const args = [
      'run',
      model('torch-unet/ts_op11.onnx'),
      '--inputs',
      model('torch-unet/golden.npz'),
      '--outputs',
      out,
    ];
    expect((await drover(...args)).code).toBe(2);
    expect(readFileSync(out, 'utf8')).toBe('mine');
    expect((await drover(...args, '--force')).code).toBe(0);
  });
});

describe('parity', () => {
  const unet = model('torch-unet/ts_op11.onnx');
  const golden = model('torch-unet/golden.npz');

  it('agrees with another export of the same network', async () => {
    const { code, document } = await json(
      'parity',
      'parity',
      unet,
      model('torch-unet/dynamo_op18.onnx'),
      '--seed',
      '7',
    );
    expect([code, document.verdict, document.seed, document.runtimes]).toEqual([
      0,
      'agree',
      7,
      ['onnxruntime', 'onnxruntime'],
    ]);
    expect(Object.keys(document.hashes)).toEqual([unet, model('torch-unet/dynamo_op18.onnx')]);
  });

  it('hashes the weights beside the model, too', async () => {
    const external = model('torch-bert/dynamo_op18_external.onnx');
    const { document } = await json(
      'parity',
      'parity',
      external,
      model('torch-bert/dynamo_op18.onnx'),
    );
    expect(Object.keys(document.hashes)).toEqual([
      external,
      `${external}.data`,
      model('torch-bert/dynamo_op18.onnx'),
    ]);
  });

  it('agrees with what the framework computed', async () => {
    const { code, stdout } = await drover('parity', unet, '--inputs', golden, '--expected', golden);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^agree {6}mask: difference \d\.\de-\d+, source’s own error \d\.\de-\d+, target’s \d\.\de-\d+, tolerance \d\.\de-\d+ \(rounding: Conv \d+ %, .*\)\nverdict: agree \(onnxruntime\)\n$/,
    );
  });

  it('differs from another network with the same signature', async () => {
    const path = copyOf('tf-resnet/tfjs/model.json');
    const shard = join(dirname(path), 'group1-shard1of1.bin');
    const bytes = readFileSync(shard);
    bytes.fill(0, 4000, 4400);
    writeFileSync(shard, bytes);
    const { code, document } = await json('parity', 'parity', model('tf-resnet/tfjs'), path);
    expect([code, document.verdict]).toEqual([1, 'differ']);
    const { error, tolerance, bound } = document.outputs[0]!;
    expect([error! > bound!, bound! >= tolerance!]).toEqual([true, true]);
  });

  it('takes fixed tolerances as numpy does', async () => {
    const pair = ['parity', model('tf-resnet/tfjs'), model('tf-resnet/tfjs_u8')];
    const strict = await json('parity', ...pair, '--atol', '1e-6');
    expect([strict.code, strict.document.verdict]).toEqual([1, 'differ']);
    const loose = await json('parity', ...pair, '--atol', '0.1', '--rtol', '0.1');
    expect([loose.code, loose.document.verdict]).toEqual([0, 'agree']);
  });

  it('runs where it is told, on sizes and values that it is told, and keeps what it made', async () => {
    const saved = join(scratch(), 'in.npz');
    const dynamic = model('torch-unet/ts_op18_dynamic.onnx');
    const args = ['parity', dynamic, dynamic, '--runtime', 'reference', '--seeds', '2'];
    const { document } = await json(
      'parity',
      ...args,
      '--size',
      'height=32',
      '--size',
      'image[3]=48',
      '--range',
      'image=0..1',
      '--save-inputs',
      saved,
    );
    expect([document.verdict, document.runs, document.runtimes]).toEqual([
      'agree',
      2,
      ['reference', 'reference'],
    ]);
    const image = (await arraysOf(saved)).get('image')!;
    expect(image.shape.slice(2)).toEqual([32, 48]);
    const values = image.data as Float64Array;
    expect(values.every((value) => value >= 0 && value <= 1)).toBe(true);
    expect((await json('parity', 'parity', dynamic, dynamic, '--inputs', saved)).code).toBe(0);
    expect(existsSync(saved.replace('.npz', '-2.npz'))).toBe(true);
  });

  it('does not agree by default: expected outputs that are missing, or constant, decide nothing', async () => {
    const folder = scratch();
    const missing = join(folder, 'missing.npz');
    writeFileSync(
      missing,
      await encodeNpz(
        new Map([['another', { dtype: 'float32', shape: [1], data: Float64Array.of(0) }]]),
      ),
    );
    const { code, document } = await json(
      'failure',
      'parity',
      unet,
      '--inputs',
      golden,
      '--expected',
      missing,
    );
    expect([code, codes(document)]).toEqual([2, ['parity/no-expected']]);

    const zeros = join(folder, 'zeros.npz');
    const mask = (await arraysOf(golden)).get('out_mask')!;
    writeFileSync(
      zeros,
      await encodeNpz(new Map([['mask', { ...mask, data: new Float64Array(mask.data.length) }]])),
    );
    expect(
      (await json('parity', 'parity', unet, '--inputs', golden, '--expected', zeros)).code,
    ).toBe(1);
  });

  it('says when a runtime or the reference is missing', async () => {
    const lenet = model('mxnet-lenet');
    const args = [
      'parity',
      join(lenet, 'model-symbol.json'),
      '--inputs',
      join(lenet, 'golden.npz'),
      '--expected',
      join(lenet, 'golden.npz'),
    ];
    const saved = { drover: process.env['DROVER_MXNET_PYTHON'], own: process.env['MXNET_PYTHON'] };
    delete process.env['DROVER_MXNET_PYTHON'];
    delete process.env['MXNET_PYTHON'];
    try {
      const { code, document } = await json('parity', ...args);
      expect([code, document.runtimes, codes(document)]).toEqual([
        0,
        ['reference'],
        ['parity/runtime-absent'],
      ]);
    } finally {
      if (saved.drover !== undefined) process.env['DROVER_MXNET_PYTHON'] = saved.drover;
      if (saved.own !== undefined) process.env['MXNET_PYTHON'] = saved.own;
    }
  });

  it('finds the sizes that a model takes, and tells where those that are given do not fit', async () => {
    const pair = [
      model('mxnet-lenet/model-symbol.json'),
      model('mxnet-lenet/old_attr-symbol.json'),
    ];
    const { code, document } = await json('parity', 'parity', ...pair);
    expect([code, document.verdict]).toEqual([0, 'agree']);
    const { code: second, document: failure } = await json(
      'failure',
      'parity',
      ...pair,
      '--size',
      'data[2]=5',
      '--size',
      'data[3]=6',
      '--runtime',
      'reference',
    );
    expect([second, codes(failure)]).toEqual([2, ['parity/no-inputs']]);
  });
});

describe('explain', () => {
  it('tells what a code means', async () => {
    const { code, document } = await json('explain', 'explain', 'core/path');
    expect([code, document.failure]).toEqual([0, 'malformed']);
    expect((await drover('explain', 'core/path')).stdout).toBe(
      `${document.summary}\n${document.help}\n`,
    );
  });
});
