import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Graph,
  memorySource,
  MemorySink,
  Model,
  openCheckpoint,
  openModel,
  ops,
  sizeOf,
  symbol,
  tensor,
  Weight,
  writeModel,
  type Value,
} from '@drover/core';
import { keras } from '@drover/keras';
import { openFile } from '@drover/node';
import { onnx } from '@drover/onnx';
import { applyToModel, extractWeights } from '@drover/weights';
import { declaredBy, worstDistance } from './conversion-chain.js';
import { subjectOf } from './subjects.js';

const script = new URL('./keras-models.py', import.meta.url).pathname;
const root = mkdtempSync(join(tmpdir(), 'drover-keras-recurrences-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const pythons = {
  2: process.env['DROVER_TENSORFLOW_PYTHON']!,
  3: process.env['DROVER_KERAS3_PYTHON']!,
} as const;

interface Facts {
  readonly inputs: readonly (readonly number[])[];
  readonly outputs: readonly (readonly number[])[];
}

/** The model `recurrent` of the script as ONNX has it: one node for both directions of a layer. */
function exported(): Model {
  const graph = new Graph();
  let count = 0;
  const zeros = (...shape: readonly number[]) => {
    const name = `weight_${count++}`;
    const elements = new Array<number>(sizeOf(shape)).fill(0);
    return graph.constant(Weight.from(tensor('float32', shape, elements), name), name);
  };
  const named = (node: string, op: string) => ({
    name: node,
    origin: { file: '', path: [], node, op },
  });
  const frames = graph.input('frames', 'float32', [symbol('batch'), 6, 5]);
  let x = graph.add(ops.Transpose, { x: frames }, { perm: [1, 0, 2] }).y;
  const joined = (y: Value, size: number) =>
    graph.add(
      ops.Reshape,
      { x: graph.add(ops.Transpose, { x: y }, { perm: [0, 2, 1, 3] }).y },
      { shape: [6, symbol('batch'), 2 * size] },
    ).y;
  const attrs = (hiddenSize: number, activations: readonly ('Sigmoid' | 'Tanh')[]) => ({
    hiddenSize,
    direction: 'bidirectional' as const,
    activations: [...activations, ...activations],
    activationAlpha: [],
    activationBeta: [],
    clip: null,
  });
  const lstm = { x, w: zeros(2, 16, 5), r: zeros(2, 16, 4), b: zeros(2, 32) };
  const gates = attrs(4, ['Sigmoid', 'Tanh', 'Tanh']);
  x = joined(graph.add(ops.LSTM, lstm, { ...gates, inputForget: false }, named('a', 'LSTM')).y, 4);
  for (const [name, linearBeforeReset, features] of [
    ['b', true, 8],
    ['c', false, 6],
  ] as const) {
    const gru = { x, w: zeros(2, 9, features), r: zeros(2, 9, 3), b: zeros(2, 18) };
    const both = { ...attrs(3, ['Sigmoid', 'Tanh']), linearBeforeReset };
    x = joined(graph.add(ops.GRU, gru, both, named(name, 'GRU')).y, 3);
  }
  const product = { a: graph.add(ops.Transpose, { x }, { perm: [1, 0, 2] }).y, b: zeros(6, 2) };
  const { y } = graph.add(ops.MatMul, product, {}, named('d', 'MatMul'));
  graph.output('y', graph.add(ops.Add, { a: y, b: zeros(2) }, {}).y);
  return new Model(graph);
}

describe.each([2, 3] as const)(
  'two cells of Keras %i in one node of both directions',
  (version) => {
    it('compute in onnxruntime what Keras computes, and go back', async () => {
      const printed = execFileSync(pythons[version], [script, 'make', root], {
        maxBuffer: 2 ** 30,
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const facts = (JSON.parse(printed.toString()) as Record<string, Facts>)['recurrent']!;
      const sink = new MemorySink();
      await writeModel(exported(), { to: onnx, sink, path: 'm.onnx' });
      const model = await openModel(memorySource('m.onnx', sink.files), onnx);
      for (const file of ['recurrent.h5', 'recurrent.keras', 'recurrent.weights.h5']) {
        const source = await openFile(join(root, file));
        const weights = await openCheckpoint(source, keras);
        const filled = await applyToModel(model, { weights });
        const out = new MemorySink();
        await writeModel(filled, { to: onnx, sink: out, path: 'm.onnx' });
        const written = {
          format: onnx,
          files: out.files,
          source: memorySource('m.onnx', out.files),
        };
        const golden = {
          file,
          inputs: new Map([['frames', tensor('float32', [2, 6, 5], facts.inputs[0]!)]]),
          outputs: new Map([['y', tensor('float32', [2, 6, 2], facts.outputs[0]!)]]),
        };
        const { runtime } = subjectOf('onnx');
        expect(await worstDistance(runtime, written, [golden], declaredBy(filled))).toBeLessThan(
          1e-5,
        );
        const { store } = await extractWeights(filled, { like: weights });
        for (const { name, weight } of weights.store)
          expect([name, await store.get(name)!.weight.bytes()]).toEqual([
            name,
            await weight.bytes(),
          ]);
        source.close();
      }
    }, 300_000);
  },
);
