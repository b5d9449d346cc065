import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Content } from '@drover/core/format';

const fixtures = new URL('../../../fixtures/', import.meta.url).pathname;
const models = join(fixtures, 'models/');

/** Path of a fixture model. */
export const model = (path: string): string => join(models, path);

interface FixtureEntry {
  readonly file: string;
  readonly format: string;
}

/**
 * The fixture of a format that has the smallest main file among its models or its checkpoints; a
 * path from those of the models on.
 */
export function smallest(format: string, content: Content): string {
  const kind = `${content}s` as const;
  const all = readdirSync(join(fixtures, kind)).flatMap((folder) => {
    const text = readFileSync(join(fixtures, kind, folder, 'fixture.json'), 'utf8');
    const fixture = JSON.parse(text) as Record<typeof kind, readonly FixtureEntry[]>;
    return fixture[kind].flatMap((each) =>
      each.format === format ? [join('..', kind, folder, each.file)] : [],
    );
  });
  const size = (path: string) => statSync(model(path)).size;
  return all.toSorted((a, b) => size(a) - size(b))[0]!;
}

const root = mkdtempSync(join(tmpdir(), 'drover-cli-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A new folder of this test's own, which goes when the tests of its file have run. */
export const scratch = (): string => mkdtempSync(join(root, 'test-'));

/** A copy of a fixture model with what lies beside it, to be damaged; the path of its main file. */
export function copyOf(path: string): string {
  const folder = scratch();
  cpSync(dirname(model(path)), folder, { recursive: true });
  return join(folder, basename(path));
}

/** Every file below a folder with its content: what a command must not have changed. */
export function contents(folder: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(folder, name);
    files.set(name, statSync(path).isFile() ? readFileSync(path).toString('base64') : 'folder');
  }
  return files;
}
