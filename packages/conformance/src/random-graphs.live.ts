import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DroverError,
  encodeTensor,
  MemorySink,
  printGraph,
  type Graph,
  type Tensor,
  writeModel,
} from '@drover/core';
import { mxnet } from '@drover/mxnet';
import fc from 'fast-check';
import { bindInMxnet } from './bind-in-mxnet.js';
import { decodeVector, type StoredTensor } from './op-vectors.js';
import { expectNear, modelOf, truthOf } from './random-graph.js';
import { imageGraph } from './random-image-graph.js';
import { sequenceGraph } from './random-sequence-graph.js';

interface Written {
  readonly folder: string;
  readonly graph: Graph;
  readonly truth: ReadonlyMap<string, Tensor>;
}

/** Writes a graph for MXNet with what to feed it; undefined where that is refused. */
async function write(graph: Graph, input: Tensor, folder: string): Promise<boolean> {
  const sink = new MemorySink();
  try {
    await writeModel(modelOf(graph), { to: mxnet, sink });
  } catch (error) {
    if (error instanceof DroverError && error.failure === 'unsupported') return false;
    throw error;
  }
  await sink.commit();
  mkdirSync(folder);
  for (const [name, bytes] of sink.files) writeFileSync(join(folder, name), bytes);
  const { dtype, shape } = input;
  const data = Buffer.from(encodeTensor(input)).toString('base64');
  writeFileSync(
    join(folder, 'inputs.json'),
    JSON.stringify([{ name: graph.inputs[0]!.name, dtype, shape, data }]),
  );
  return true;
}

test.each([
  ['images', imageGraph],
  ['sequences', sequenceGraph],
] as const)(
  'random graphs over %s compute the same in real MXNet',
  async (_, graphOf) => {
    const python = process.env['DROVER_MXNET_PYTHON'] ?? process.env['MXNET_PYTHON'];
    const root = mkdtempSync(join(tmpdir(), 'drover-random-'));
    const written: Written[] = [];
    try {
      await fc.assert(
        fc.asyncProperty(fc.gen(), async (g) => {
          const { graph, input } = graphOf(g, 'float32', 8);
          const truth = await truthOf(graph, input);
          const folder = join(root, String(written.length));
          if (truth && (await write(graph, input, folder))) written.push({ folder, graph, truth });
        }),
        { numRuns: 400, seed: 20261121 },
      );
      bindInMxnet(python!, root);
      for (const { folder, graph, truth } of written) {
        const outputs = join(folder, 'outputs.json');
        if (!existsSync(outputs)) {
          expect({
            graph: printGraph(graph),
            error: readFileSync(join(folder, 'error.txt'), 'utf8').slice(0, 300),
          }).toBe('bound');
          continue;
        }
        const results = (JSON.parse(readFileSync(outputs, 'utf8')) as readonly StoredTensor[]).map(
          decodeVector,
        );
        expectNear(graph, results, truth, 1e-4);
      }
      expect(written.length).toBeGreaterThan(100);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  },
  600_000,
);
