import { readFileSync } from 'node:fs';
import {
  decodeTensor,
  evaluate,
  Graph,
  ops,
  Report,
  tensor,
  toNumbers,
  Weight,
  type DType,
  type Tensor,
} from '@drover/core';
import { JsonCursor, parseJson } from '@drover/core/format';
import { decodeGraphDef, decodeSignature } from '../codec/json-graph.js';
import { exportGraph } from '../export/export-graph.js';
import { importGraph } from './import-graph.js';

interface Stored {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: string;
}

interface Case {
  readonly name: string;
  readonly inputs: readonly Stored[];
  readonly outputs: readonly Stored[];
  readonly model: {
    readonly json: {
      readonly weightsManifest: readonly { readonly weights: readonly Omit<Stored, 'data'>[] }[];
    };
    readonly weights: string;
  };
}

// Computed by TensorFlow: see fixtures/README.md.
const file = new URL('../../../../fixtures/ops/tf/control-flow.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: readonly Case[] };

const tensorOf = ({ dtype, shape, data }: Stored): Tensor =>
  decodeTensor(new Uint8Array(Buffer.from(data, 'base64')), dtype, shape);

function weightsOf({ model }: Case): ReadonlyMap<string, Weight> {
  const bytes = new Uint8Array(Buffer.from(model.weights, 'base64'));
  let at = 0;
  return new Map(
    model.json.weightsManifest
      .flatMap(({ weights }) => weights)
      .map(({ name, dtype, shape }) => {
        const start = at;
        at += shape.reduce((a, b) => a * b, 1) * (dtype === 'bool' ? 1 : 4);
        return [name, Weight.of(dtype, shape, bytes.slice(start, at), name)] as const;
      }),
  );
}

function read(each: Case): Graph {
  const root = new JsonCursor(parseJson(JSON.stringify(each.model.json), each.name), each.name);
  const weights = weightsOf(each);
  const report = new Report();
  const graph = importGraph(
    {
      name: 'main',
      graph: decodeGraphDef(root.require('modelTopology')),
      signature: decodeSignature(root.require('signature')),
      file: each.name,
      weightOf: ({ name }) => weights.get(name),
    },
    report,
  );
  expect(report.diagnostics).toEqual([]);
  return graph;
}

test('there are cases of both versions of control flow', () => {
  expect(cases.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      'StatelessWhile/while_v2',
      'LoopCond/while_v1',
      'StatelessIf/cond_v2_True',
      'Merge/cond_v1_False',
      'TensorArrayWriteV3/scan_v1',
    ]),
  );
});

test.each(cases)('$name', async (each) => {
  const graph = read(each);
  expect([...graph.nodes].map(({ op }) => op.name)).not.toContain('Foreign');
  const given = graph.inputs.map(({ name }) =>
    tensorOf(each.inputs.find((input) => input.name === name)!),
  );
  const results = await evaluate(graph, given);
  for (const stored of each.outputs) {
    const [result, expected] = [results.get(stored.name)!, tensorOf(stored)];
    expect(result.shape).toEqual(expected.shape);
    toNumbers(expected).forEach((value, i) =>
      expect(Math.abs(toNumbers(result)[i]! - value)).toBeLessThanOrEqual(
        1e-6 * Math.max(1, Math.abs(value)),
      ),
    );
  }
});

test('a loop that counts is a Loop of a known number of trips, its lists scanned', () => {
  const operators = (name: string) =>
    [...read(cases.find((each) => each.name === name)!).nodes].filter(
      ({ op }) => op.name === 'Loop',
    );
  for (const name of ['TensorListSetItem/scan_v2', 'TensorArrayWriteV3/scan_v1']) {
    const [loop, ...others] = operators(name);
    expect(others).toEqual([]);
    expect(loop?.inputs[0]?.elements).toEqual([5]);
    expect(loop?.outputs.map(({ shape }) => shape)).toEqual(expect.arrayContaining([[5, 2, 3]]));
  }
});

test('a loop that was written here is read again as the loop it was, what it yields in known shape', async () => {
  const graph = new Graph();
  const x = graph.input('x', 'float32', [2]);
  const body = new Graph('body', graph);
  body.input('trip', 'int64', []);
  body.input('goes', 'bool', []);
  const sum = body.add(ops.Add, { a: body.input('sum', 'float32', [2]), b: body.capture(x) }, {}).y;
  body.output('goes', body.literal('bool', [], [true]));
  body.output('sum', sum);
  body.output('each', sum);
  const { outputs } = graph.add(
    ops.Loop,
    { maxTrips: graph.literal('int64', [], [3]), carried: [x] },
    { carried: 1 },
    { regions: { body: body.region() } },
  );
  graph.output('last', outputs[0]!);
  graph.output('each', outputs[1]!);

  const report = new Report();
  const written = exportGraph(
    graph,
    { typeOf: (dtype) => (dtype === 'int64' ? 'int32' : dtype), file: '' },
    { report, value: () => {} },
  );
  const weights = new Map(
    written.weights.map(({ name, weight, dtype }) => [name, weight.cast(dtype)]),
  );
  const again = importGraph(
    {
      name: 'main',
      graph: written.graph,
      signature: written.signature,
      file: '',
      weightOf: ({ name }) => weights.get(name),
    },
    report,
  );
  expect(report.errors).toEqual([]);
  const [loop] = [...again.nodes].filter(({ op }) => op.name === 'Loop');
  expect(loop?.attrs).toEqual({ carried: 1 });
  expect(loop?.outputs.map(({ shape }) => shape)).toEqual([[2], [3, 2]]);
  const results = await evaluate(again, [tensor('float32', [2], [1, -2])]);
  expect([...toNumbers(results.get('last')!)]).toEqual([4, -8]);
  expect([...toNumbers(results.get('each')!)]).toEqual([2, -4, 3, -6, 4, -8]);
});
