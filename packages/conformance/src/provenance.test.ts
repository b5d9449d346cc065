import { cloneGraph, openModel, type Graph, type Value } from '@drover/core';
import { preparation, type TargetNeeds } from '@drover/core/format';
import { openFixture } from './conversion-chain.js';
import { subjects } from './subjects.js';

/** Values of a graph and of the bodies in it that do not stand in the source's file. */
function withoutOrigin(graph: Graph, file: string): readonly Value[] {
  const nodes = [...graph.nodes];
  const own = [...graph.inputs, ...nodes.flatMap(({ outputs }) => outputs)].filter(
    ({ origin }) => origin?.file !== file,
  );
  const inBodies = nodes.flatMap(({ regions }) =>
    Object.values(regions).flatMap((region) => withoutOrigin(region.graph, file)),
  );
  return [...own, ...inBodies];
}

/** What formats ask for, from the one that takes every composite to the one that takes none. */
const needs: readonly (readonly [string, TargetNeeds])[] = [
  ['takes every composite, channels first', { layout: 'channelsFirst', keeps: () => true }],
  ['takes none, channels last', { layout: 'channelsLast', keeps: () => false }],
  [
    'has no loops',
    { layout: 'channelsFirst', keeps: () => false, unroll: { maxTrips: 64, maxNodes: 20_000 } },
  ],
];

const models = subjects.flatMap(({ format, models: each }) =>
  each.map((fixture) => [fixture.id, format, fixture] as const),
);

describe.each(needs)('made ready for a format that %s', (_, each) => {
  it.each(models)(
    'every value of %s has an origin after every pass',
    async (__, format, fixture) => {
      const opened = await openFixture(fixture);
      try {
        const model = await openModel(opened.source, format, { params: opened.params });
        const graph = cloneGraph(model.graph);
        const lost = withoutOrigin(graph, model.file).map((value) => ['reading', String(value)]);
        for (const { name, run } of preparation(each, undefined)) {
          await run(graph);
          lost.push(...withoutOrigin(graph, model.file).map((value) => [name, String(value)]));
          if (lost.length > 0) break;
        }
        expect(lost.slice(0, 10)).toEqual([]);
      } finally {
        opened.close();
      }
    },
  );
});
