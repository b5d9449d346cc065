import {
  Graph,
  Model,
  ops,
  tensor,
  toNumbers,
  Weight,
  writeModel,
  MemorySink,
  memorySource,
} from '@drover/core';
import { words } from './hostile-names.js';
import { isNotYet, writers } from './subjects.js';

const names = [
  ...words,
  ...['', ' ', 'a b', 'a/b', '/a', '../a', 'a:0', 'a:1', '^a', 'a_output', 'a_0', 'data0', '0'],
  ...['"', '\\', '\n', '\u0000', 'ä', '模型', '💧', 'a'.repeat(2000)],
];

/** y = max(a + b + 1, 0) and z = y + 1, with everything named alike. */
function modelNamed(name: string): Model {
  const graph = new Graph();
  const a = graph.input(name, 'float32', [2]);
  const b = graph.input(`${name}_1`, 'float32', [2]);
  const one = graph.constant(Weight.from(tensor('float32', [2], [1, 1]), name), name);
  const { y: sum } = graph.add(ops.Add, { a, b }, {}, { name });
  const { y: more } = graph.add(ops.Add, { a: sum, b: one }, {}, { name });
  const { y: positive } = graph.add(ops.Relu, { x: more }, {}, { name });
  graph.output(`${name}_2`, positive);
  graph.output(`${name}_3`, graph.add(ops.Add, { a: positive, b: one }, {}, { name }).y);
  return new Model(graph, { metadata: new Map([[name, name]]) });
}

describe.each(writers)('%s', (_, { format, runtime }) => {
  it.each(names.map((name) => [JSON.stringify(name).slice(0, 40), name] as const))(
    'carries a model in which everything is named %s',
    async (_, name) => {
      const sink = new MemorySink();
      try {
        await writeModel(modelNamed(name), { to: format, sink });
      } catch (error) {
        if (isNotYet(error)) return;
        throw error;
      }
      const source = memorySource(format.fileNames.usual, sink.files);
      const loaded = await runtime.load({ format, source });
      const given = [tensor('float32', [2], [1, -5]), tensor('float32', [2], [2, 3])];
      const results = await loaded.run(
        new Map(loaded.inputs.map((input, i) => [input.name, given[i]!])),
      );
      await loaded.dispose();
      const all = [...results.values()].map((each) => [...toNumbers(each)]);
      expect(all.toSorted(([x], [y]) => x! - y!)).toEqual([
        [4, 0],
        [5, 1],
      ]);
    },
  );
});
