import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { memorySource, tensor, type DroverError, type Source } from '@drover/core';
import { adapt } from '../adapter.js';
import { inProcess } from './in-process.js';

const engine = new URL('./testdata/faulty-engine.mjs', import.meta.url);
const source = memorySource('net.model', new Map([['net.model', new Uint8Array([0x61, 0x62])]]));
const x = new Map([['x', tensor('float32', [3], [0.5, -0, NaN])]]);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drover-process-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const faulty = (settings: object, answerLimit?: number, model: Source = source) =>
  adapt({
    id: 'faulty',
    title: 'Faulty',
    formats: ['model'],
    open: async () => ({ files: [{ path: 'net.model', source: model }], settings }),
    start: inProcess(engine, answerLimit === undefined ? {} : { answerLimit }),
  }).load({ source: model });

const finding = (code: string, message: RegExp) =>
  expect.objectContaining({
    diagnostics: [
      expect.objectContaining({
        code,
        message: expect.stringMatching(message) as string,
        origin: { file: 'net.model' },
      }),
    ],
  });

/** Resolves when no process has this number. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await setTimeout(20);
  }
}

it('runs what the engine runs, on the files of the model', async () => {
  const model = await faulty({});
  expect(model.inputs).toEqual([{ name: 'x', dtype: 'float32', shape: [null] }]);
  const outputs = await model.run(x);
  expect(outputs.get('x')).toEqual(x.get('x'));
  expect(outputs.get('files')?.data).toEqual(['net.model: ab']);
  await model.dispose();
});

it.each([
  ['abort', 'runtimes/crashed', /^Faulty ended by the signal SIGABRT while it ran the model\./],
  ['exit', 'runtimes/crashed', /^Faulty ended with the exit code 7 while it ran the model\./],
  ['rejectLater', 'runtimes/crashed', /the exit code 1 .*RangeError: nobody waits for this/],
])('tells of an end by %s, each time that it is asked', async (running, code, message) => {
  const model = await faulty({ running });
  const both = [model.run(x), model.run(x)];
  for (const one of both) await expect(one).rejects.toEqual(finding(code, message));
  await expect(model.run(x)).rejects.toEqual(finding(code, message));
  await model.dispose();
  await model.dispose();
});

it('tells the last words, and keeps them from the terminal', async () => {
  const model = await faulty({ running: 'exit' });
  await expect(model.run(x)).rejects.toEqual(
    finding('runtimes/crashed', /Its last words: the last thing that it said$/),
  );
});

it.each([
  ['exit', 'runtimes/crashed', /^Faulty ended with the exit code 7 while it loaded the model\./],
  ['hang', 'runtimes/timed-out', /^Faulty gave no answer within 1 s while it loaded the model/],
  ['throw', 'runtimes/refused', /^Faulty: x is not a function$/],
])('fails to load by %s', async (loading, code, message) => {
  const pidFile = join(folder, 'pid');
  await expect(faulty({ loading, pidFile }, 1)).rejects.toEqual(finding(code, message));
  await gone(Number(readFileSync(pidFile, 'utf8')));
});

it('ends what gives no answer', async () => {
  const pidFile = join(folder, 'pid');
  const model = await faulty({ running: 'hang', pidFile }, 2);
  const message = /^Faulty gave no answer within 2 s while it ran the model, and was ended/;
  await expect(model.run(x)).rejects.toEqual(finding('runtimes/timed-out', message));
  await expect(model.run(x)).rejects.toEqual(finding('runtimes/timed-out', message));
  await model.dispose();
  await gone(Number(readFileSync(pidFile, 'utf8')));
});

it('runs on after an error that the engine survives', async () => {
  const model = await faulty({ running: 'throw' });
  const failing = finding('runtimes/failed', /^Faulty: x is not a function$/);
  await expect(model.run(x)).rejects.toEqual(failing);
  await expect(model.run(x)).rejects.toEqual(failing);
  const wrong = model.run(new Map([['y', x.get('x')!]]));
  await expect(wrong).rejects.toEqual(finding('core/unknown-input', /"y"/));
  await model.dispose();
});

it('ends what waits when it is disposed of', async () => {
  const model = await faulty({ running: 'hang' });
  const waiting = model.run(x).catch((error: DroverError) => error);
  await model.dispose();
  expect(await waiting).toEqual(finding('runtimes/failed', /disposed of/));
});

it('tells why the model cannot be read', async () => {
  const short: Source = { ...source, size: 3 };
  await expect(faulty({}, 600, short)).rejects.toThrow('core/range: 3 bytes at 0');
});

it('runs two at once', async () => {
  const [a, b] = [join(folder, 'a'), join(folder, 'b')];
  // Each goes on when the other one runs, too.
  const models = await Promise.all([faulty({ own: a, other: b }), faulty({ own: b, other: a })]);
  const outputs = await Promise.all(models.map((model) => model.run(x)));
  expect(outputs.map((each) => each.size)).toEqual([2, 2]);
  await Promise.all(models.map((model) => model.dispose()));
});

describe('a parent that ends', () => {
  const dist = (path: string) =>
    JSON.stringify(new URL(`../../dist/${path}`, import.meta.url).href);
  const script = (running: string, then: string) => `
    import { memorySource, tensor } from '@drover/core';
    import { adapt } from ${dist('adapter.js')};
    import { inProcess } from ${dist('process/in-process.js')};
    const source = memorySource('m', new Map([['m', new Uint8Array(1)]]));
    const settings = { running: '${running}', pidFile: '${folder}/pid', own: '${folder}/runs' };
    const open = async () => ({ files: [], settings });
    const start = inProcess(new URL('${engine.href}'), {});
    const model = await adapt({ id: 'f', title: 'F', formats: [], open, start }).load({ source });
    const run = () => model.run(new Map([['x', tensor('float32', [1], [1])]]));
    ${then}`;
  const parentOf = (running: string, then: string) =>
    ['--input-type=module', '-e', script(running, then)] as const;
  const options = { cwd: new URL('.', import.meta.url).pathname };
  const pid = () => Number(readFileSync(join(folder, 'pid'), 'utf8'));

  it('is not kept by a model that is idle, and takes it along', async () => {
    const { status } = spawnSync(process.execPath, parentOf('', 'await run();'), options);
    expect(status).toBe(0);
    await gone(pid());
  });

  it('waits for an answer', () => {
    const then = 'run().then(({ size }) => console.log(size));';
    const { stdout } = spawnSync(process.execPath, parentOf('', then), options);
    expect(stdout.toString()).toBe('2\n');
  });

  it.each(['SIGKILL', 'SIGINT', 'SIGTERM'] as const)(
    'by %s takes along one that hangs',
    async (signal) => {
      const parent = spawn(process.execPath, parentOf('hang', 'await run();'), options);
      while (!existsSync(join(folder, 'runs'))) await setTimeout(20);
      parent.kill(signal);
      await once(parent, 'exit');
      await gone(pid());
    },
  );

  it('by process.exit takes along one that hangs', async () => {
    const then = `run(); const { existsSync } = await import('node:fs');
      setInterval(() => existsSync('${folder}/runs') && process.exit(3), 20);`;
    expect(spawnSync(process.execPath, parentOf('hang', then), options).status).toBe(3);
    await gone(pid());
  });
});
