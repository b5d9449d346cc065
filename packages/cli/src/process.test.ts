import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { contents, model, scratch } from '../testing/fixture.js';

const root = new URL('../../../', import.meta.url).pathname;
const command = join(root, 'packages/cli/bin/drover.js');
// npm hands its own options for Node on to what it starts, and what a user starts has none of them.
const env: NodeJS.ProcessEnv = { ...process.env, NODE_OPTIONS: '' };
delete env['NO_COLOR'];
delete env['FORCE_COLOR'];

const start = (args: readonly string[], options: { readonly input?: Uint8Array } = {}) =>
  spawnSync(process.execPath, [command, ...args], { env, maxBuffer: 2 ** 28, ...options });

beforeAll(() => {
  execFileSync(process.execPath, [join(root, 'tools/bundle.mjs')], { env });
}, 300_000);

describe('the process', () => {
  const unet = model('torch-unet/ts_op11.onnx');

  it.each([
    ['done', ['inspect', unet], 0],
    [
      'a check failed',
      ['parity', model('tf-resnet/tfjs'), model('tf-resnet/tfjs_u8'), '--atol', '1e-6'],
      1,
    ],
    ['usage', ['convert', unet], 2],
    ['what cannot be read', ['inspect', 'nowhere.onnx'], 2],
    ['malformed input', ['inspect', model('torch-unet/fixture.json')], 4],
  ])('tells its caller: %s', (_, args, code) => {
    expect(start(args).status).toBe(code);
  });

  it('reads standard input and writes standard output, and nothing but the model goes there', () => {
    const { status, stdout } = start(['convert', '-', '-', '--to', 'onnx'], {
      input: readFileSync(unet),
    });
    expect(status).toBe(0);
    expect(Buffer.compare(stdout, readFileSync(unet))).toBe(0);
    const { status: second, stdout: told } = start(['inspect', '-', '--json'], { input: stdout });
    expect([second, (JSON.parse(told.toString()) as { format: string }).format]).toEqual([
      0,
      'onnx',
    ]);
  });

  it('prints no colours and no progress into a pipe, and holds NO_COLOR', () => {
    const { stdout, stderr } = start(['convert', unet, join(scratch(), 'model.json'), '--verify']);
    expect(`${stdout}${stderr}`).not.toContain('\u001b');
    const failing = spawnSync(process.execPath, [command, 'inspect', 'nowhere.onnx'], {
      env: { ...env, FORCE_COLOR: '1', NO_COLOR: '1' },
    });
    expect(failing.stderr.toString()).not.toContain('\u001b');
  });

  it('answers --help without loading what the commands need, which would be most of its time', () => {
    const loadedBy = (...args: readonly string[]) => {
      const folder = scratch();
      // Node writes there which scripts it ran.
      const told = spawnSync(process.execPath, [command, ...args], {
        env: { ...env, NODE_V8_COVERAGE: folder },
      });
      expect(told.status).toBe(0);
      const files = readdirSync(folder).flatMap((name) => {
        const { result } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as {
          result: readonly { readonly url: string }[];
        };
        return result.flatMap(({ url }) =>
          url.includes('/cli/bundle/') ? fileURLToPath(url) : [],
        );
      });
      // Before each module that it took in, the bundler says which it is.
      return files.flatMap((path) =>
        [...readFileSync(path, 'utf8').matchAll(/^\/\/ packages\/(.*)$/gm)].map(
          ([, name]) => name!,
        ),
      );
    };
    const heavy = /(src\/index|codec\/.*|ops\/.*)\.ts$/;
    const loaded = loadedBy('--help');
    expect(loaded).toContain('cli/src/main.ts');
    // Of the formats and of core only what says which options there are.
    expect(loaded.filter((path) => heavy.test(path))).toEqual([]);
    const inspecting = loadedBy('inspect', unet);
    expect(inspecting.some((path) => heavy.test(path))).toBe(true);
    expect(inspecting.filter((path) => /^(parity|runtimes\/src\/.*)\//.test(path))).toEqual([]);
  });

  it('starts runtimes in processes of their own', () => {
    const [arrays, out] = [model('torch-unet/golden.npz'), join(scratch(), 'out.npz')];
    const options = ['--inputs', arrays, '--outputs', out, '--runtime', 'onnxruntime'];
    const { status, stderr } = start(['run', unet, ...options]);
    expect([status, stderr.toString()]).toEqual([0, '']);
    expect(existsSync(out)).toBe(true);
  });

  it('does not stumble when nobody reads on', () => {
    const { status, stderr } = spawnSync(
      '/bin/sh',
      ['-c', `"${process.execPath}" "${command}" inspect "${unet}" --json | head -c 1 > /dev/null`],
      { env },
    );
    expect([status, stderr.toString()]).toEqual([0, '']);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('leaves what stood there when it is interrupted by %s', async (signal, code) => {
    const folder = scratch();
    const output = join(folder, 'model.json');
    writeFileSync(output, 'mine');
    // Standard input stays open, so that the command waits in the middle of its work.
    const child = spawn(process.execPath, [command, 'convert', '-', output, '--force'], {
      env,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    // More than a pipe holds: it is written once the command reads.
    await new Promise((resolve) => child.stdin.write(new Uint8Array(2 ** 22), resolve));
    child.kill(signal);
    const [status] = (await once(child, 'exit')) as [number | null];
    expect(status).toBe(code);
    expect([...contents(folder)]).toEqual([['model.json', Buffer.from('mine').toString('base64')]]);
    expect(existsSync(output)).toBe(true);
  });
});
