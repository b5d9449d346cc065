import {
  bytesOf,
  planModel,
  readModel,
  Report,
  sizeOf,
  type Graph,
  type Value,
} from '@drover/core';
import { loadFormats } from '@drover/formats';
import { open, type OpenOptions } from '../open.js';
import type { Outcome } from '../outcome.js';

interface Gap {
  readonly op: string;
  readonly count: number;
  readonly reason: string;
}

const declared = (name: string, { dtype, shape }: Value) => ({
  name,
  dtype,
  shape: shape?.map((dim) => (typeof dim === 'number' ? dim : dim.key)) ?? null,
});

const spelled = ({ name, dtype, shape }: ReturnType<typeof declared>) =>
  `${name}: ${dtype}[${shape?.join(', ') ?? '…'}]`;

const signature = (graph: Graph) => ({
  inputs: graph.inputs.map((value) => declared(value.name, value)),
  outputs: graph.outputs.map(({ name, value }) => declared(name, value)),
});

/** `drover inspect MODEL`. */
export async function inspectCommand(
  [path]: readonly string[],
  options: OpenOptions,
): Promise<Outcome> {
  const opened = await open(path!, options);
  const { format } = opened;
  const read = new Report();
  const model = await readModel(opened, read);
  const { graph } = model;
  const constants = graph.constants();
  const { inputs, outputs } = signature(graph);
  const entries = [...model.graphs].map(([name, each]) => ({ name, ...signature(each) }));
  const parameters = constants.reduce((sum, { constant }) => sum + sizeOf(constant!.shape), 0);
  const bytes = constants.reduce(
    (sum, { constant }) => sum + bytesOf(constant!.dtype, sizeOf(constant!.shape)),
    0,
  );
  const ops = Object.fromEntries([...model.operators].sort(([a], [b]) => (a < b ? -1 : 1)));
  const targets = new Map<string, { ok: boolean; gaps: readonly Gap[] }>();
  for (const target of await loadFormats()) {
    if (target.id === format.id || !target.model?.plan) continue;
    const found = new Report();
    await planModel(model, { to: target, report: found });
    const gaps = new Map<string, Gap>();
    for (const { origin, message, reason = message } of found.errors) {
      const op = origin.op ?? '';
      const key = JSON.stringify([op, reason]);
      gaps.set(key, { op, count: (gaps.get(key)?.count ?? 0) + 1, reason });
    }
    targets.set(target.id, { ok: gaps.size === 0, gaps: [...gaps.values()] });
  }
  const versions = Object.entries(model.versions).map(([name, version]) => `${name} ${version}`);
  return {
    diagnostics: read.diagnostics,
    document: {
      format: format.id,
      versions: model.versions,
      producer: model.producer,
      entries,
      inputs,
      outputs,
      parameters,
      bytes,
      ops,
      targets: Object.fromEntries(targets),
    },
    lines: [
      `${path}: ${format.id} (${[...versions, model.producer].filter(Boolean).join(', ')})`,
      ...(entries.length > 1 ? [`entries     ${entries.map(({ name }) => name).join(', ')}`] : []),
      `inputs      ${inputs.map(spelled).join('\n            ')}`,
      `outputs     ${outputs.map(spelled).join('\n            ')}`,
      `parameters  ${parameters.toLocaleString('en')} (${bytes.toLocaleString('en')} bytes)`,
      `operators   ${Object.entries(ops)
        .map(([name, count]) => `${name} ${count}`)
        .join(', ')}`,
      ...[...targets].map(([id, { ok, gaps }]) =>
        ok
          ? `to ${id.padEnd(8)} converts`
          : `to ${id.padEnd(8)} ${gaps.map(({ op, count, reason }) => `${op} (${count}): ${reason}`).join('\n            ')}`,
      ),
    ],
  };
}
