// Packs every publishable package, checks each tarball with publint and are-the-types-wrong, then
// installs it alone in an empty folder, with nothing but the Drover packages it depends on, and
// imports, requires and type-checks each of its entries there. Portable entries also load without
// anything of Node's.
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

const execute = promisify(execFile);
const root = resolve(import.meta.dirname, '..');
const environment = { ...process.env, NODE_OPTIONS: '', npm_config_node_options: '' };

const packages = new Map(
  readdirSync(join(root, 'packages'))
    .map((folder) => ({
      folder,
      manifest: JSON.parse(readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8')),
    }))
    .filter(({ manifest }) => !manifest.private)
    .map((entry) => [entry.manifest.name, entry]),
);

const run = async (file, args, cwd) => {
  try {
    return (await execute(file, args, { cwd, env: environment, maxBuffer: 64 << 20 })).stdout;
  } catch (error) {
    throw new Error(`${file} ${args.join(' ')}\n${error.stdout}${error.stderr}`, { cause: error });
  }
};

/** `name` and every Drover package that it needs, itself first. */
const closure = (name, found = new Set()) => {
  if (found.has(name)) return found;
  found.add(name);
  for (const dependency of Object.keys(packages.get(name).manifest.dependencies ?? {}))
    if (packages.has(dependency)) closure(dependency, found);
  return found;
};

const entriesOf = (manifest) =>
  Object.keys(manifest.exports)
    .filter((key) => !key.endsWith('.json'))
    .map((key) => manifest.name + key.slice(1));

const nodeOnly = ['@drover/node', '@drover/cli', '@drover/runtimes/mxnet'];
// Loaded before an entry: what a page does not have is not there, and packages resolve as a bundler
// for pages resolves them.
const asInPage = `import { builtinModules, register } from 'node:module';
const names = JSON.stringify(builtinModules);
const hook = \`export const resolve = (name, context, next) => {
  if (name.startsWith('node:') || \${names}.includes(name)) throw new Error(name + ' is imported by ' + context.parentURL);
  return next(name, { ...context, conditions: [...context.conditions.filter((condition) => condition !== 'node'), 'browser'] });
};\`;
register('data:text/javascript,' + encodeURIComponent(hook));
for (const name of ['process', 'Buffer', 'global', 'setImmediate']) delete globalThis[name];
`;

const inProcess = `import { memorySource } from '@drover/core';
import { onnxruntime } from '@drover/runtimes/onnxruntime';
const source = memorySource('m.onnx', new Map([['m.onnx', new Uint8Array(1)]]));
const [code] = await onnxruntime({ process: {} }).load({ source }).then(
  () => ['loaded'],
  ({ diagnostics }) => diagnostics.map(({ code }) => code),
);
if (code !== 'runtimes/not-installed') throw new Error(code);
`;

const checkTarball = async (tarball) => {
  const { messages, pkg } = await publint({
    pack: { tarball: readFileSync(tarball) },
    strict: true,
  });
  const lint = messages.map((message) => formatMessage(message, pkg));
  if (lint.length) throw new Error(`publint\n${lint.join('\n')}`);
  await run(
    join(root, 'node_modules/.bin/attw'),
    [tarball, '--profile', 'esm-only', '--no-emoji', '--format', 'ascii'],
    root,
  );
};

/** The command converts, and starts the process of a runtime, which tells that it is not there. */
const checkCommand = async (drover, folder) => {
  const models = join(root, 'fixtures/models/torch-unet');
  const model = join(models, 'ts_op11.onnx');
  await run(drover, ['--help'], folder);
  await run(drover, ['convert', model, 'converted', '--to', 'tfjs'], folder);
  const options = ['--inputs', join(models, 'golden.npz'), '--runtime', 'onnxruntime', '--json'];
  const told = await run(drover, ['run', model, ...options], folder).catch(String);
  if (!told.includes('"runtimes/not-installed"')) throw new Error(told);
};

const checkInstalled = async ({ manifest }, tarballs, scratch) => {
  const folder = mkdtempSync(join(scratch, 'alone-'));
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'alone', private: true, type: 'module' }),
  );
  const wanted = [...closure(manifest.name)].map((name) => tarballs.get(name));
  await run(
    'npm',
    [
      'install',
      '--ignore-scripts',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      '--no-package-lock',
      ...wanted,
    ],
    folder,
  );

  const entries = entriesOf(manifest);
  const list = JSON.stringify(entries);
  writeFileSync(
    join(folder, 'import.mjs'),
    `for (const entry of ${list}) if (Object.keys(await import(entry)).length === 0) throw new Error(entry + ' exports nothing');`,
  );
  writeFileSync(
    join(folder, 'require.cjs'),
    `for (const entry of ${list}) if (Object.keys(require(entry)).length === 0) throw new Error(entry + ' exports nothing');`,
  );
  await run(process.execPath, ['import.mjs'], folder);
  await run(process.execPath, ['require.cjs'], folder);
  writeFileSync(join(folder, 'as-in-page.mjs'), asInPage);
  for (const entry of entries.filter((name) => !nodeOnly.includes(name))) {
    await run(
      process.execPath,
      ['--import', './as-in-page.mjs', '--input-type=module', '-e', `await import('${entry}')`],
      folder,
    );
  }
  if (manifest.name === '@drover/runtimes') {
    // The process of a runtime starts, and tells that the runtime is not there.
    writeFileSync(join(folder, 'process.mjs'), inProcess);
    await run(process.execPath, ['process.mjs'], folder);
  }
  if (manifest.bin?.drover) await checkCommand(join(folder, 'node_modules/.bin/drover'), folder);

  writeFileSync(
    join(folder, 'consumer.ts'),
    entries
      .map((entry, i) => `import * as entry${i} from '${entry}';\nexport { entry${i} };\n`)
      .join(''),
  );
  const types = ['--typeRoots', join(root, 'node_modules/@types'), '--types', 'node'];
  await run(
    join(root, 'node_modules/.bin/tsc'),
    [
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--lib',
      'es2023,dom',
      ...types,
      'consumer.ts',
    ],
    folder,
  );
};

const scratch = mkdtempSync(join(tmpdir(), 'drover-packages-'));
try {
  const selected = [...packages.keys()].flatMap((name) => ['-w', name]);
  const packed = JSON.parse(
    await run(
      'npm',
      ['pack', '--json', '--ignore-scripts', '--pack-destination', scratch, ...selected],
      root,
    ),
  );
  const tarballs = new Map(
    Object.values(packed).map(({ name, filename }) => [name, join(scratch, filename)]),
  );
  let failed = 0;
  const left = [...packages];
  const checkAll = async () => {
    for (let next = left.shift(); next; next = left.shift()) await check(...next);
  };
  const check = async (name, entry) => {
    try {
      await checkTarball(tarballs.get(name));
      await checkInstalled(entry, tarballs, scratch);
      console.log(
        `${name}: packs, installs alone, imports (${entriesOf(entry.manifest).join(', ')})`,
      );
    } catch (error) {
      failed++;
      console.error(`${name}: ${error.message}`);
    }
  };
  // Two at a time: each waits for npm and for processes.
  await Promise.all([checkAll(), checkAll()]);
  if (failed) process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
