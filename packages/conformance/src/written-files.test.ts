import { convert, MemorySink, memorySource } from '@drover/core';
import { openFixture } from './conversion-chain.js';
import { knownFailures } from './known-failures.js';
import { isNotYet, subjects, writers } from './subjects.js';

/** A small model of each format into every format, and one whose weights lie beside it. */
const cases = writers.flatMap(([to, { format }]) =>
  subjects.flatMap((from) => {
    const written = from.models.filter(
      ({ id }) => !knownFailures.some(({ model, chain }) => model === id && chain === to),
    );
    const beside = written.find(({ id }) => /external|sharded/.test(id));
    return [written[0]!, ...(beside ? [beside] : [])].map(
      (fixture) => [fixture.id, to, { fixture, from: from.format, to: format }] as const,
    );
  }),
);

/** A name of a main file, by what a format's files are called. */
const named = (prefix: string, pattern: string) =>
  pattern.startsWith('*') ? prefix + pattern.slice(1) : pattern;

describe.each(cases)('%s written as %s', (_, __, { fixture, from, to }) => {
  const write = async (path: string) => {
    const { source, params, close } = await openFixture(fixture);
    const sink = new MemorySink();
    await convert({ from, to, source, params, sink, path }).finally(close);
    return sink.files;
  };

  it('has files that are named after the main one, which tells of all of them', async () => {
    const written: (readonly string[])[] = [];
    for (const path of ['one', 'two'].map((prefix) => named(prefix, to.fileNames.any[0]!))) {
      let files: ReadonlyMap<string, Uint8Array>;
      try {
        files = await write(path);
      } catch (error) {
        if (isNotYet(error)) return;
        throw error;
      }
      expect([...files.keys()]).toContain(path);
      const told = (await to.files?.(memorySource(path, files))) ?? [];
      expect([path, ...told].toSorted()).toEqual([...files.keys()].toSorted());
      written.push([...files.keys()]);
    }
    expect(written[0]!.filter((name) => written[1]!.includes(name))).toEqual([]);
  });

  it('stays in the folder that it is written to', async () => {
    try {
      const names = [...(await write(`a/b/${to.fileNames.usual}`)).keys()];
      expect(names.map((name) => name.slice(0, 4))).toEqual(names.map(() => 'a/b/'));
    } catch (error) {
      if (!isNotYet(error)) throw error;
    }
  });
});
