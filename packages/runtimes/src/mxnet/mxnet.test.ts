import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memorySource, tensor } from '@drover/core';
import { mxnet } from './mxnet.js';

const name = 'net-symbol.json';
const source = memorySource(name, new Map([[name, new Uint8Array([0x7b, 0x7d])]]));
const x = new Map([['x', tensor('float32', [1], [1])]]);
const declared = `echo '{"inputs": ["x"], "outputs": ["y"]}'`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drover-python-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Loads the model with a shell script in the place of Python. */
function load(script: string, answerLimit = 600) {
  const python = join(folder, 'python');
  writeFileSync(python, `#!/bin/sh\necho "$4" > '${folder}/given'\n${script}\n`, { mode: 0o755 });
  return mxnet({ python, process: { answerLimit } }).load({ source });
}

/** Where the process was told to put its files. */
const givenFolder = () => readFileSync(join(folder, 'given'), 'utf8').trim();

const finding = (code: string, message: RegExp) =>
  expect.objectContaining({
    diagnostics: [
      expect.objectContaining({
        code,
        message: expect.stringMatching(message) as string,
        origin: { file: name },
      }),
    ],
  });

it.each([
  [
    'echo no memory >&2; exit 3',
    'crashed',
    /^MXNet ended with the exit code 3 while it loaded the model\. Its last words: no memory$/,
  ],
  ['exec sleep 1000', 'timed-out', /^MXNet gave no answer within 1 s while it loaded the model/],
  [`echo '{"error": "Unknown operator"}'`, 'refused', /^MXNet: Unknown operator$/],
  [
    `echo '{"error": "No module named mxnet", "absent": true}'`,
    'not-installed',
    /^MXNet: No module/,
  ],
])('does not load: %s', async (script, code, message) => {
  await expect(load(script, code === 'timed-out' ? 1 : 600)).rejects.toEqual(
    finding(`runtimes/${code}`, message),
  );
  expect(existsSync(givenFolder())).toBe(false);
});

it.each([
  ['kill -SEGV $$', 'crashed', /^MXNet ended by the signal SIGSEGV while it ran the model\.$/],
  ['exec sleep 1000', 'timed-out', /^MXNet gave no answer within 2 s while it ran the model/],
])('does not run: %s', async (script, code, message) => {
  const model = await load(`${declared}; read request; ${script}`, 2);
  const failing = finding(`runtimes/${code}`, message);
  await expect(model.run(x)).rejects.toEqual(failing);
  await expect(model.run(x)).rejects.toEqual(failing);
  await model.dispose();
  expect(existsSync(givenFolder())).toBe(false);
});

it('tells an error of a run, and runs on', async () => {
  const model = await load(`${declared}; while read request; do echo '{"error": "shape"}'; done`);
  const failing = finding('runtimes/failed', /^MXNet: shape$/);
  await expect(model.run(x)).rejects.toEqual(failing);
  await expect(model.run(x)).rejects.toEqual(failing);
  await model.dispose();
});
