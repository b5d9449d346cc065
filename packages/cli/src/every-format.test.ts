import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Format } from '@drover/core';
import { usualName } from '@drover/core/format';
import { loadFormats } from '@drover/formats';
import { openFile } from '@drover/node';
import { contents, copyOf, scratch, smallest } from '../testing/fixture.js';
import { drover } from '../testing/in-process.js';

interface Finding {
  readonly code: string;
  readonly severity: string;
  readonly help: string;
}

/** Runs a command with --json: its exit code and what it found. */
async function found(...args: readonly string[]) {
  const { code, stdout } = await drover(...args, '--json');
  const { diagnostics } = JSON.parse(stdout) as { readonly diagnostics: readonly Finding[] };
  return { code, errors: diagnostics.filter(({ severity }) => severity === 'error') };
}

const cutInHalf = (path: string) => truncateSync(path, Math.floor(readFileSync(path).length / 2));

/** What each format of the list reads: models, checkpoints, or both. */
const held = (await loadFormats()).flatMap((format) =>
  (['model', 'checkpoint'] as const).flatMap((content) =>
    format[content] ? [[format.id, content, format] as const] : [],
  ),
);

describe.each(held)('%s as a %s', (id, content, own) => {
  const fixture = smallest(id, content);
  /** Any other format that holds the same: models, or else checkpoints; itself where none does. */
  let to: string;
  /** Its usual name of that. */
  let usual: string;

  beforeAll(async () => {
    const all = await loadFormats();
    // Of formats with models, checkpoints have the types that these compute with alone.
    const isLike = (format: Format) => content === 'model' || format.model === undefined;
    const target = all.find((each) => each !== own && isLike(each) && each[content]?.write) ?? own;
    ({ id: to } = target);
    usual = usualName(target, content);
  });

  it('converts, and the result converts back', async () => {
    const output = join(scratch(), usual);
    expect((await found('convert', copyOf(fixture), output)).code).toBe(0);
    expect((await found('convert', output, join(scratch(), 'back'), '--to', id)).code).toBe(0);
  });

  it('a file that is cut short is told, and nothing is written', async () => {
    const path = copyOf(fixture);
    cutInHalf(path);
    const folder = scratch();
    const { code, errors } = await found('convert', path, join(folder, usual));
    expect(code).toBe(4);
    for (const { help } of errors) expect(help).not.toBe('');
    expect(contents(folder)).toEqual(new Map());
  });

  it('a file that is missing is told', async () => {
    const path = copyOf(fixture);
    const source = await openFile(path);
    const companions = (await own.files?.(source)) ?? [];
    source.close();
    for (const name of companions) rmSync(join(dirname(path), name));
    const { code, errors } = await found('convert', path, join(scratch(), usual));
    expect([code, [...new Set(errors.map((each) => each.code))]]).toEqual(
      companions.length > 0 ? [2, ['core/missing-file']] : [0, []],
    );
  });

  it('leaves what stands at the output, unless --force says otherwise', async () => {
    const folder = scratch();
    const output = join(folder, usual);
    writeFileSync(output, 'mine');
    const before = contents(folder);
    const refused = await found('convert', copyOf(fixture), output);
    expect([refused.code, refused.errors[0]!.code]).toEqual([2, 'node/exists']);
    expect(contents(folder)).toEqual(before);

    const spoilt = copyOf(fixture);
    cutInHalf(spoilt);
    expect((await found('convert', spoilt, output, '--force')).code).toBe(4);
    expect(contents(folder)).toEqual(before);

    expect((await found('convert', copyOf(fixture), output, '--to', to, '--force')).code).toBe(0);
    expect(readFileSync(output).length).toBeGreaterThan(100);
  });

  it('is written anew over itself, and leaves no file that is not of it', async () => {
    const output = join(scratch(), basename(fixture));
    expect((await found('convert', copyOf(fixture), output)).code).toBe(0);
    const before = contents(dirname(output));
    expect((await found('convert', output, output, '--force')).code).toBe(0);
    expect(contents(dirname(output))).toEqual(before);
  });

  it('has its name in the help, and each of its codes explained', async () => {
    const { stdout } = await drover('convert', '--help');
    expect(stdout).toContain(id);
    for (const { prefix, kinds } of own.diagnostics) {
      for (const [name, { summary, help }] of Object.entries(kinds)) {
        const explained = await drover('explain', `${prefix}/${name}`);
        expect([explained.code, explained.stdout]).toEqual([0, `${summary}\n${help}\n`]);
      }
    }
  });
});
