import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import {
  bitsOf,
  convert,
  MemorySink,
  memorySource,
  TensorStore,
  Weight,
  writeCheckpoint,
  type Format,
  type Source,
} from '@drover/core';
import { openFile } from '@drover/node';
import { pytorch } from '@drover/pytorch';
import { safetensors } from '@drover/safetensors';
import { checkpointFixtures } from './checkpoint-fixture.js';

const root = mkdtempSync(join(tmpdir(), 'drover-pytorch-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let folders = 0;
const scratch = (): string => {
  const folder = join(root, String(folders++));
  mkdirSync(folder);
  return folder;
};

const python = process.env['DROVER_TORCH_PYTHON']!;
/** What a script of this folder answers. */
const run = <T>(script: string, ...args: readonly string[]): T =>
  JSON.parse(
    execFileSync(python, [new URL(script, import.meta.url).pathname, ...args], {
      maxBuffer: 2 ** 30,
      stdio: ['ignore', 'pipe', 'inherit'],
    }).toString(),
  ) as T;

/** In what PyTorch finds the second file of each pair to differ from the first. */
const differences = (...pairs: readonly (readonly [string, string])[]): readonly string[][] =>
  run('compare-pytorch.py', ...pairs.flat());

/** The file that a checkpoint becomes. */
async function written(source: Source, from: Format, to: Format): Promise<Uint8Array> {
  const sink = new MemorySink();
  await convert({ from, to, source, sink, rewrite: true });
  return sink.files.get(to.fileNames.usual)!;
}

/** A file of PyTorch's, written again beside it; its path. */
async function again(path: string, name = `again-${basename(path)}`): Promise<string> {
  const source = await openFile(path);
  const out = join(path, '..', name);
  writeFileSync(out, await written(source, pytorch, pytorch));
  source.close();
  return out;
}

const fixtures = checkpointFixtures().filter(({ format }) => format === 'pytorch');

it('what PyTorch saved and we wrote again it loads as before, object for object', async () => {
  const folder = scratch();
  const pairs: (readonly [string, string])[] = [];
  for (const { id, files, main } of fixtures) {
    const path = join(folder, id.replace('/', '-'));
    writeFileSync(path, files.get(main)!);
    pairs.push([path, await again(path)]);
  }
  expect(pairs.length).toBeGreaterThanOrEqual(3);
  expect(differences(...pairs)).toEqual(pairs.map(() => []));
});

it('tensors of every kind, and what stands beside them', async () => {
  const folder = scratch();
  const names = run<string[]>('run-pytorch.py', 'kinds', folder);
  const pairs = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      return [path, await again(path)] as const;
    }),
  );
  expect(pairs.length).toBeGreaterThan(6);
  expect(differences(...pairs)).toEqual(pairs.map(() => []));
});

/** Every type that both have. */
const everyType = [
  ...['float64', 'float32', 'float16', 'bfloat16', 'float8e4m3fn', 'float8e4m3fnuz'],
  ...['float8e5m2', 'float8e5m2fnuz', 'float8e8m0fnu', 'int64', 'int32', 'int16', 'int8'],
  ...['uint64', 'uint32', 'uint16', 'uint8', 'bool', 'complex64', 'complex128'],
] as const;

it('every type, every bit, names that nobody expects: a state dict, mapped where it is aligned', async () => {
  const tensors = everyType.map((dtype, i) => {
    const bytes = Uint8Array.from({ length: 32 * bitsOf(dtype) }, (_, at) =>
      dtype === 'bool' ? at % 2 : (at * 167 + i) % 256,
    );
    return {
      name: `${dtype} "\\ 名前💧`,
      weight: Weight.of(dtype, [2, 128], bytes),
      role: 'parameter' as const,
      aliases: [`tied ${dtype}`],
    };
  });
  const empty = {
    name: '',
    weight: Weight.of('int8', [0, 3], new Uint8Array(0)),
    role: 'parameter' as const,
    aliases: [],
  };
  const sink = new MemorySink();
  const store = new TensorStore([...tensors, empty]);
  await writeCheckpoint({ store, format: 'core', versions: {}, file: '' }, { to: pytorch, sink });
  const path = join(scratch(), 'model.pt');
  writeFileSync(path, sink.files.get('model.pt')!);
  const expected = await Promise.all(
    [...store].map(async ({ name, weight, aliases }) => {
      const data = Buffer.from(await weight.bytes()).toString('base64');
      const dtype = `torch.${weight.dtype.replace('float8', 'float8_')}`;
      return [name, ...aliases].map((each) => [each, dtype, weight.shape, data]);
    }),
  );
  expect(run('run-pytorch.py', 'read', path)).toEqual({
    class: 'OrderedDict',
    tensors: expected.flat(),
    aligned: true,
  });
});

it('training goes on from what we wrote as from the original, and modules are state dicts', async () => {
  const folder = scratch();
  const expected = run('run-pytorch.py', 'begin', folder);
  const all = (...names: readonly string[]) =>
    Promise.all(names.map((name) => again(join(folder, name))));
  expect(run('run-pytorch.py', 'go_on', ...(await all('zip.pth', 'legacy.pth.tar')))).toEqual([
    expected,
    expected,
  ]);
  const states = await all('state.pt', 'module.pt', 'nested.pt', 'script.pt');
  expect(run('run-pytorch.py', 'strict', join(folder, 'state.pt'), ...states)).toEqual(
    states.map(() => true),
  );
}, 300_000);

it('a state dict comes back from safetensors', async () => {
  const folder = scratch();
  run('run-pytorch.py', 'begin', folder);
  const state = join(folder, 'state.pt');
  const source = await openFile(state);
  const bytes = await written(source, pytorch, safetensors);
  source.close();
  const there = memorySource('model.safetensors', new Map([['model.safetensors', bytes]]));
  const back = join(folder, 'back.pt');
  writeFileSync(back, await written(there, safetensors, pytorch));
  expect(run('run-pytorch.py', 'strict', state, back)).toEqual([true]);
});
