import { readFileSync } from 'node:fs';
import { MemorySink, memorySource, openCheckpoint, Report, writeCheckpoint } from '@drover/core';
import { keras } from '../format.js';

const fixture = new URL('../../../../fixtures/checkpoints/keras-v2_h5/model.h5', import.meta.url);

/** Writes a model of Keras 2 that was trained for two steps of Adam. */
async function written(kerasVersion: number) {
  const files = new Map([['m.h5', new Uint8Array(readFileSync(fixture))]]);
  const checkpoint = await openCheckpoint(memorySource('m.h5', files), keras);
  const sink = new MemorySink();
  const report = new Report();
  const options = { kerasVersion };
  await writeCheckpoint(checkpoint, { to: keras, sink, path: 'm.h5', options, report });
  const back = await openCheckpoint(memorySource('m.h5', sink.files), keras);
  const state = [...checkpoint.store].flatMap(({ name, role }) =>
    role === 'optimizer' ? [name] : [],
  );
  return { back, state, diagnostics: report.diagnostics };
}

it('tells of each state of the optimizer that another generation does not load, and keeps it', async () => {
  const { back, state, diagnostics } = await written(3);
  expect(state).toContain('iteration');
  expect(diagnostics.map(({ code, origin }) => [code, origin.node])).toEqual([
    ['keras/not-compiled', undefined],
    ...state.map((name) => ['keras/optimizer', name]),
  ]);
  expect(back.store.metadata.has('training_config')).toBe(false);
  for (const name of state) expect(back.store.get(name)?.role).toBe('optimizer');
});

it('keeps how a model was compiled within a generation', async () => {
  const { back, state, diagnostics } = await written(2);
  expect(diagnostics).toEqual([]);
  expect(back.store.metadata.has('training_config')).toBe(true);
  for (const name of state) expect(back.store.get(name)?.role).toBe('optimizer');
});
