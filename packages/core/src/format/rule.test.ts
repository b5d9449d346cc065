import { Graph } from '../graph/graph.js';
import { ops } from '../ops/ops.js';
import { applyRule, gap, writeTable, type WriteRules } from './rule.js';

const rules: Partial<WriteRules<string[]>> = {
  Relu: (node, writer) => void writer.push(node.op.name),
  Neg: gap('there is no minus'),
};
const table = writeTable(rules as WriteRules<string[]>);

const nodeOf = (op: typeof ops.Relu) => {
  const graph = new Graph();
  graph.add(op, { x: graph.input('x', 'float32', [2]) }, {});
  return [...graph.nodes][0]!;
};

test('a rule writes, a gap is its reason', () => {
  const written: string[] = [];
  expect(applyRule(table, nodeOf(ops.Relu), written)).toBeUndefined();
  expect(written).toEqual(['Relu']);
  expect(applyRule(table, nodeOf(ops.Neg), written)).toEqual({ gap: 'there is no minus' });
});

test.each(['Mine', 'constructor', '__proto__', 'toString'])(
  'an operator of the caller named %s has no rule',
  (name) => {
    const written: string[] = [];
    const reason = applyRule(table, nodeOf({ ...ops.Relu, name }), written);
    expect(reason).toEqual({ gap: 'it is no operator of the core set' });
    expect(written).toEqual([]);
  },
);
