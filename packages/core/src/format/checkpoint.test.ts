import { defineDiagnostics } from '../diagnostics/diagnostic.js';
import { TensorStore } from '../model/tensor-store.js';
import { tensor, toNumbers } from '../tensor/tensor.js';
import { Weight } from '../tensor/weight.js';
import { convert } from './convert.js';
import type { Format } from './format.js';
import { readJson } from './json.js';
import { MemorySink, memorySource } from './memory.js';
import { detectFormat, openCheckpoint, openModel } from './open.js';
import { tellTensor } from './tensor-map.js';
import { writeCheckpoint } from './write.js';

const diagnostics = defineDiagnostics('rows', {
  name: { failure: 'unsupported', severity: 'error', summary: 'A dot.', help: 'Rename it.' },
});

/** Checkpoints as JSON: rows of numbers by name; a text names the tensor that it is tied to. */
const rows = (id: string): Format => ({
  id,
  title: id,
  fileNames: { usual: `${id}.json`, any: ['*.json'], inFolder: [] },
  options: { read: {}, write: {} },
  diagnostics: [diagnostics],
  detect: async (source) => (source.name === `${id}.json` ? 'checkpoint' : undefined),
  checkpoint: {
    read: async (source) => {
      const content = (await readJson(source)).value as Record<string, string | number[]>;
      const tied = Object.entries(content);
      const tensors = tied.flatMap(([name, numbers]) =>
        typeof numbers === 'string'
          ? []
          : [
              {
                name,
                weight: Weight.from(tensor('float32', [numbers.length], numbers), name),
                role: 'parameter' as const,
                aliases: tied.flatMap(([alias, of]) => (of === name ? [alias] : [])),
              },
            ],
      );
      return { store: new TensorStore(tensors), format: id, versions: {}, file: source.name };
    },
    write: async ({ store }, sink, context) => {
      const content: Record<string, string | readonly number[]> = {};
      for (const { name, weight, aliases } of store) {
        if (name.includes('.'))
          context.report.add(
            diagnostics.diagnostic('name', { message: name, origin: { file: '' } }),
          );
        content[name] = Array.from(toNumbers(await weight.tensor()));
        for (const alias of aliases) content[alias] = name;
        tellTensor(name, weight, context.tensor);
      }
      context.report.throwIfErrors();
      const file = await sink.create(context.path);
      await file.write(new TextEncoder().encode(JSON.stringify(content)));
      await file.close();
    },
  },
});

const [from, to] = [rows('rows'), rows('lines')];
const sourceOf = (content: object) =>
  memorySource(
    'rows.json',
    new Map([['rows.json', new TextEncoder().encode(JSON.stringify(content))]]),
  );
const tied = { head: [1, 2, 3], embedding: 'head', bias: [4] };
const failing = (code: string) =>
  expect.objectContaining({ diagnostics: [expect.objectContaining({ code })] });

test('a checkpoint is a store alone: names, handles and the further names of tied tensors', async () => {
  const source = sourceOf(tied);
  expect(await detectFormat(source, [to, from])).toBe(from);
  const { store, format } = await openCheckpoint(source, [to, from]);
  expect(format).toBe('rows');
  expect([...store].map(({ name, aliases }) => [name, aliases])).toEqual([
    ['head', ['embedding']],
    ['bias', []],
  ]);
  expect(store.get('embedding')).toBe(store.get('head'));
});

test('it converts into a checkpoint of another format, with its tensor map', async () => {
  const sink = new MemorySink();
  const report = await convert({ from, to, source: sourceOf(tied), sink });
  expect(JSON.parse(new TextDecoder().decode(sink.files.get('lines.json')))).toEqual(tied);
  expect(report.tensors.map(({ source, target }) => [source, target])).toEqual([
    ['head', 'head'],
    ['bias', 'bias'],
  ]);
  expect(report.unmapped).toEqual([]);
});

test('a program writes a store of its own', async () => {
  const sink = new MemorySink();
  const weight = Weight.from(tensor('float32', [2], [1, 2]));
  const store = new TensorStore([{ name: 'w', weight, role: 'parameter', aliases: [] }]);
  await writeCheckpoint({ store, format: 'core', versions: {}, file: '' }, { to, sink });
  expect(JSON.parse(new TextDecoder().decode(sink.files.get('lines.json')))).toEqual({ w: [1, 2] });
});

test('a dry run finds what the writer refuses, and writes nothing', async () => {
  for (const dryRun of [true, false]) {
    const sink = new MemorySink();
    const work = convert({ from, to, source: sourceOf({ 'a.b': [1] }), sink, dryRun });
    await expect(work).rejects.toEqual(failing('rows/name'));
    expect(sink.files.size).toBe(0);
  }
});

test('a format that holds no models, or no checkpoints, says so', async () => {
  const models: Format = { ...to, id: 'models', checkpoint: undefined, model: {} };
  const sink = new MemorySink();
  await expect(openModel(sourceOf(tied), from)).rejects.toEqual(failing('core/incapable'));
  const work = convert({ from, to: models, source: sourceOf(tied), sink });
  await expect(work).rejects.toEqual(failing('core/incapable'));
  await expect(openCheckpoint(sourceOf(tied), models)).rejects.toEqual(failing('core/incapable'));
});

test('a checkpoint has no graph to choose', async () => {
  const sink = new MemorySink();
  const work = convert({ from, to, source: sourceOf(tied), sink, entry: 'main' });
  await expect(work).rejects.toEqual(failing('core/no-entry'));
});

test('where a format has models, too, the path says what is written', async () => {
  const checkpoint = { usual: 'w.json', any: ['*w.json'] };
  const both: Format = { ...to, model: {}, fileNames: { ...to.fileNames, checkpoint } };
  const sink = new MemorySink();
  await convert({ from, to: both, source: sourceOf(tied), sink });
  expect([...sink.files.keys()]).toEqual(['w.json']);
  const wrong = { from, to: both, source: sourceOf(tied), sink, path: 'model.json' };
  await expect(convert(wrong)).rejects.toEqual(failing('core/incapable'));
});
