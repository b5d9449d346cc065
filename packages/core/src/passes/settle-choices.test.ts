import { evaluate } from '../evaluate/evaluate.js';
import { parseGraph } from '../graph/parse-text.js';
import { tensor } from '../tensor/tensor.js';
import { deadCode } from './dead-code.js';
import { runPass } from './define-pass.js';
import { settleChoices } from './settle-choices.js';

/**
 * The operators that are left of an index computed from `x`, of which only the shape matters and
 * which has five rows, once choices are settled.
 */
async function left(...lines: readonly string[]): Promise<readonly string[]> {
  const constants = [
    'zero: int64[] = constant [0]',
    'two: int64[] = constant [2]',
    'nine: int64[] = constant [9]',
  ];
  const graph = parseGraph(
    `graph main(x: float32[n, 3], i: int64[]) {\n${[...constants, ...lines].join('\n')}\nreturn y\n}`,
  );
  const given = [tensor('float32', [5, 3], Array<number>(15).fill(0)), tensor('int64', [], [4])];
  const before = await evaluate(graph, given);
  await runPass(settleChoices, graph, undefined);
  expect(await runPass(settleChoices, graph, undefined)).toBe(0);
  expect(await evaluate(graph, given)).toEqual(before);
  await runPass(deadCode, graph, undefined);
  return graph.sorted().map(({ op }) => op.name);
}

const largest = ['m: int64[n] = ArgMax(x) {"axis":1,"keepdims":false,"selectLastIndex":false}'];

test('the guard of an index that is never negative goes', async () => {
  const guarded = (comparison: string, x: string, y: string) => [
    ...largest,
    `c: bool[n] = ${comparison}`,
    'a: int64[n] = Add(m, nine)',
    `y: int64[n] = Where(c, ${x}, ${y})`,
  ];
  expect(await left(...guarded('Less(m, zero)', 'a', 'm'))).toEqual(['ArgMax']);
  expect(await left(...guarded('GreaterOrEqual(m, zero)', 'm', 'a'))).toEqual(['ArgMax']);
  expect(await left(...guarded('LessOrEqual(m, two)', 'm', 'a'))).toEqual(['ArgMax']);
  expect(await left(...guarded('Greater(m, two)', 'm', 'a'))).toEqual(['ArgMax', 'Add']);
  expect(await left(...guarded('Less(m, two)', 'a', 'm'))).toHaveLength(4);
});

test('so does a bound that the values keep', async () => {
  expect(await left(...largest, 'y: int64[n] = Max(m, zero)')).toEqual(['ArgMax']);
  expect(await left(...largest, 'y: int64[n] = Min(nine, m)')).toEqual(['ArgMax']);
  expect(await left(...largest, 'y: int64[n] = Min(m, two)')).toEqual(['ArgMax']);
  expect(await left(...largest, 'b: int64[] = constant [1]', 'y: int64[n] = Min(m, b)')).toEqual([
    'ArgMax',
    'Min',
  ]);
  // A single number in the place of many would have another shape.
  expect(await left(...largest, 'y: int64[n] = Max(m, nine)')).toEqual(['ArgMax', 'Max']);
});

test('an index that may be negative keeps its guard', async () => {
  const lines = [
    'c: bool[] = Less(i, zero)',
    'a: int64[] = Add(i, nine)',
    'y: int64[] = Where(c, a, i)',
  ];
  expect(await left(...lines)).toEqual(['Less', 'Add', 'Where']);
});
