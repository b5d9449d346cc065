import { Report } from '../diagnostics/report.js';
import type { ValueMapping } from '../format/value-map.js';
import { Graph } from '../graph/graph.js';
import type { Node } from '../graph/node.js';
import type { Value } from '../graph/value.js';
import { foreignTypes } from '../ops/foreign.js';
import { ops } from '../ops/ops.js';
import { gap, writeTable, type WriteRules } from './rule.js';
import { writeNodes, type NodeWriter } from './write-nodes.js';

/** Writes the names of operators; a value that was lost is written as one that is missing. */
class ListWriter implements NodeWriter {
  readonly list: string[] = [];
  constructor(readonly graph: Graph) {}
  begin(): void {}
  lose(node: Node): void {
    this.list.push(`no ${node.op.name}`);
  }
  written(value: Value): string {
    return `out/${value.name}`;
  }
}

const rules: Partial<WriteRules<ListWriter>> = {
  Relu: (node, writer) => void writer.list.push(node.op.name),
  Exp: ({ inputs }) => (inputs[0]!.rank === undefined ? gap('its rank is not known') : undefined),
  Neg: gap('there is no minus'),
  Foreign: gap('it is foreign'),
};
const table = writeTable(rules as WriteRules<ListWriter>);

function written(graph: Graph) {
  const report = new Report();
  const values: ValueMapping[] = [];
  const writer = new ListWriter(graph);
  const isWhole = writeNodes(writer, table, { report, value: (each) => void values.push(each) });
  const findings = report.diagnostics.map(({ code, message, reason }) => [code, message, reason]);
  return { isWhole, list: writer.list, findings, values };
}

const origin = (node: string, op: string) => ({ file: 'm', path: [], node, op });

it('tells every gap of a chain, each with the node of the source and the reason', () => {
  const graph = new Graph();
  let x = graph.input('x', 'float32', [2]);
  for (const [i, op] of [ops.Neg, ops.Relu, ops.Neg].entries())
    x = graph.add(op, { x }, {}, { origin: origin(`n${i}`, 'Src') }).y;
  expect(written(graph)).toMatchObject({
    isWhole: false,
    list: ['no Neg', 'Relu', 'no Neg'],
    findings: [
      ['core/not-convertible', 'Src n0: there is no minus.', 'there is no minus'],
      ['core/not-convertible', 'Src n2: there is no minus.', 'there is no minus'],
    ],
  });
});

it('does not tell what only follows from an operator that nobody knows', () => {
  const graph = new Graph();
  const x = graph.input('x', 'float32', [2]);
  const attrs = { format: 'f', type: 'Mine', reason: 'who knows', attributes: [] };
  const types = foreignTypes([undefined]);
  const { outputs } = graph.add(
    ops.Foreign,
    { inputs: [x] },
    { ...attrs, types, cause: 'operator' },
    { origin: origin('mine', 'Mine') },
  );
  const guess = graph.add(ops.Exp, { x: outputs[0]! }, {}).y;
  graph.add(ops.Neg, { x: guess }, {}, { origin: origin('minus', 'Minus') });
  expect(written(graph).findings).toEqual([
    ['core/foreign-op', 'Mine mine: it is foreign.', 'it is foreign'],
    ['core/not-convertible', 'Minus minus: there is no minus.', 'there is no minus'],
  ]);
});

it.each(['Mine', 'constructor', '__proto__', 'toString'])(
  'an operator of the caller named %s has no rule',
  (name) => {
    const graph = new Graph();
    graph.add({ ...ops.Relu, name }, { x: graph.input('x', 'float32', [2]) }, {});
    expect(written(graph).findings).toEqual([
      [
        'core/not-convertible',
        `${name} ${name}: it is no operator of the core set.`,
        'it is no operator of the core set',
      ],
    ]);
  },
);

it('says which value of the target holds which of the source', () => {
  const graph = new Graph();
  const x = graph.input('x', 'float32', [2]);
  graph.add(ops.Relu, { x }, {}, { name: 'y' });
  expect(written(graph).values.map(({ source, target }) => [source.name, target])).toEqual([
    ['x', 'out/x'],
    ['y', 'out/y'],
  ]);
});
