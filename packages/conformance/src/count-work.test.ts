import { parseJson, JsonCursor } from '@drover/core/format';
import { decodeSymbol, encodeSymbol } from '@drover/mxnet/codec';
import { countWork } from './count-work.js';

describe('countWork', () => {
  it('counts the calls, and the elements that they may look at', async () => {
    const list = [1, 2, 3, 4];
    const map = new Map([['a', 1]]);
    const steps = await countWork(() => {
      list.includes(5);
      list.push(5);
      map.get('a');
    });
    expect(steps).toBe(1 + 4 + 1 + 1);
    expect(await countWork(() => {})).toBe(0);
  });

  it('counts the same each time, also behind an await, and no more when it has ended', async () => {
    const run = async () => {
      await Promise.resolve();
      for (const each of [3, 1, 2].sort()) new Set([each]).has(1);
    };
    const steps = await countWork(run);
    expect(steps).toBeGreaterThan(6);
    await run();
    expect(await countWork(run)).toBe(steps);
    await expect(
      countWork(() => {
        throw new Error('of the test');
      }),
    ).rejects.toThrow('of the test');
    expect(await countWork(run)).toBe(steps);
  });

  it('tells work that grows with the square from work that does not', async () => {
    const linear = (count: number) => () => new Set(Array.from({ length: count }, (_, i) => i));
    const square = (count: number) => () => {
      const seen: number[] = [];
      for (let i = 0; i < count; i++) if (!seen.includes(i)) seen.push(i);
    };
    expect((await countWork(linear(8_000))) / (await countWork(linear(1_000)))).toBeLessThan(8.5);
    expect((await countWork(square(8_000))) / (await countWork(square(1_000)))).toBeGreaterThan(50);
  });
});

it('a symbol of MXNet of eight times the nodes takes eight times the steps', async () => {
  const work = async (count: number): Promise<number> => {
    const nodes = Array.from(
      { length: count },
      (_, i) => `{"op":"relu","name":"r${i}","inputs":[[${i},0,0]]}`,
    );
    const json = `{"nodes":[{"op":"null","name":"x","inputs":[]},${nodes.join()}],"arg_nodes":[0],"heads":[[${count},0,0]]}`;
    const value = parseJson(json, 's.json');
    return countWork(() => {
      const { graph } = decodeSymbol(new JsonCursor(value, 's.json'));
      expect(graph.nodes).toHaveLength(count + 1);
      expect(encodeSymbol(graph).length).toBeGreaterThan(10 * count);
    });
  };
  expect((await work(8_000)) / (await work(1_000))).toBeLessThan(8.5);
});
