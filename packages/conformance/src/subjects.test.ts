import { readdirSync, readFileSync } from 'node:fs';
import { isNamed } from '@drover/core/format';
import { formats } from '@drover/formats';
import { modelFolder } from './model-fixture.js';
import { conversions, dealt, rewritings, shards } from './models.js';
import { allFormats, byName, subjects } from './subjects.js';

const folder = new URL('.', import.meta.url).pathname;
const numbers = Array.from({ length: shards }, (_, i) => i + 1);

it('every format of the list that holds models is a subject', () => {
  expect(allFormats.map(({ id }) => id)).toEqual(formats.map(({ about }) => about.id));
  expect(subjects.map(({ format }) => format)).toEqual(allFormats.filter(({ model }) => model));
  for (const { model, checkpoint } of allFormats) expect(model ?? checkpoint).toBeDefined();
  expect(new Set(subjects.map(({ id }) => id)).size).toBe(subjects.length);
});

it('every fixture model is one of a subject', () => {
  const listed = readdirSync(modelFolder).flatMap((name) => {
    const text = readFileSync(`${modelFolder}${name}/fixture.json`, 'utf8');
    const { models } = JSON.parse(text) as { readonly models: readonly { file: string }[] };
    return models.map(({ file }) => `${name}/${file}`);
  });
  const ours = subjects.flatMap(({ models }) => models.map(({ id }) => id));
  expect(ours.toSorted()).toEqual(listed.toSorted());
});

it('every model is in the share of one file of tests, and the files are there', () => {
  expect(numbers.flatMap((shard) => dealt(conversions, shard)).length).toBe(conversions.length);
  expect(numbers.flatMap((shard) => dealt(rewritings, shard)).length).toBe(rewritings.length);
  const files = readdirSync(folder).filter((name) => /^models-.*\.test\.ts$/.test(name));
  expect(files.toSorted()).toEqual(numbers.map((shard) => `models-${shard}.test.ts`));
  for (const shard of numbers)
    expect(readFileSync(`${folder}models-${shard}.test.ts`, 'utf8')).toContain(
      `\ndescribeShard(${shard});`,
    );
});

it.each(byName)('%s has models', (_, { models }) => expect(models.length).toBeGreaterThan(0));

describe.each(allFormats.map((format) => [format.id, format] as const))('%s', (id, format) => {
  it('is what the list says before it is loaded', () => {
    const { about } = formats.find((each) => each.about.id === id)!;
    const { title, fileNames, options } = format;
    expect({ id: format.id, title, fileNames, options }).toEqual(about);
  });

  it('goes by names that are its own', () => {
    const { usual, any, inFolder } = format.fileNames;
    expect([isNamed(usual, any), isNamed(usual, inFolder)]).toEqual([true, true]);
    const others = allFormats.filter((other) => other !== format);
    for (const other of others) expect(other.fileNames.usual).not.toBe(usual);
  });

  it('has catalogues of its own, each kind with what it means and what to do', () => {
    expect(format.diagnostics.map(({ prefix }) => prefix)).toContain(id);
    for (const { kinds } of format.diagnostics)
      for (const [name, { summary, help }] of Object.entries(kinds))
        expect([name, summary.length > 10, help.length > 10]).toEqual([name, true, true]);
  });
});
