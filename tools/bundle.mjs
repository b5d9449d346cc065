// Makes what `drover` starts from, packages/cli/bundle: the command and all of Drover that it uses,
// out of the sources, in a few files instead of hundreds of modules, to find and read which takes
// longer than a small conversion. What a command does not need is in files that it does not load.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '..');
const folder = join(root, 'packages/cli');
const outdir = join(folder, 'bundle');
const manifestOf = (path) => JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));

const weights = join(root, 'packages/weights/package.json');

/** What the command finds beside it: packages that it depends on, and runtimes. */
const external = [
  ...Object.keys(manifestOf(folder).dependencies).filter((name) => !name.startsWith('@drover/')),
  ...Object.keys(manifestOf(join(root, 'packages/runtimes')).peerDependencies),
];

/** The licences of the packages of others that a bundle holds parts of, by their folders. */
function licences({ inputs }) {
  const folders = Object.keys(inputs).flatMap(
    (path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? [],
  );
  return [...new Set(folders)].sort().map((path) => {
    const { name, version } = manifestOf(join(root, path));
    const file = readdirSync(join(root, path)).find((each) => /^licen[cs]e\b/i.test(each));
    if (file === undefined) throw new Error(`${path} has no licence to ship with the bundle.`);
    return `${name} ${version}\n\n${readFileSync(join(root, path, file), 'utf8')}`;
  });
}

rmSync(outdir, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: [join(folder, 'src/main.ts')],
  outdir,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  conditions: ['@drover/source'],
  // In its form of modules: the one for Node asks for its modules as it runs.
  alias: { yaml: join(dirname(createRequire(weights).resolve('yaml')), '../browser/index.js') },
  external,
  metafile: true,
});
const separator = `\n${'-'.repeat(80)}\n\n`;
writeFileSync(join(outdir, 'LICENSES.txt'), licences(metafile).join(separator));
