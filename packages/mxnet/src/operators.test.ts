import { readdirSync, readFileSync } from 'node:fs';
import {
  decodeTensor,
  Evaluator,
  memorySource,
  MemorySink,
  Report,
  toNumbers,
  type DType,
  type Graph,
  type Model,
  type Source,
  type Tensor,
  openModel,
  writeModel,
} from '@drover/core';
import { epsilonOf, precisionOf } from '@drover/core/format';
import { typeFlagOf } from './codec/type-flag.js';
import { mxnet } from './format.js';

interface Stored {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: string;
}

/** A case of fixtures/ops/mxnet (fixtures/README.md). */
interface Case {
  readonly name: string;
  readonly inputs: readonly Stored[];
  readonly outputs: readonly Stored[];
  readonly model: { readonly symbol: string; readonly params: string };
  readonly undefined?: Readonly<Record<string, readonly number[]>>;
}

/**
 * Cases that core has no form of, and the reason that the reader gives. One that becomes readable
 * must be taken out.
 */
const foreign: Readonly<Record<string, string>> = {
  'Pooling/avg_full_pad': 'windows that start behind the input count its padding only in part',
  'Pooling/lp3_positive': 'an odd power keeps signs in MXNet',
  'Pooling/sum_full': 'it pools by sum under the full convention',
  'Pooling/sum_full_pad': 'it pools by sum under the full convention',
  'RNN/lstm_projection': 'it projects its states',
  'ROIPooling/plain': 'there is no rule for this operator',
  'Reshape/reverse_split': 'it splits dimensions from the right',
  '_contrib_MultiBoxDetection/defaults': 'there is no rule for this operator',
  '_contrib_MultiBoxDetection/forced': 'there is no rule for this operator',
  '_contrib_ROIAlign/defaults': 'it samples each region as densely as its size asks',
  '_contrib_box_decode/clip': 'there is no rule for this operator',
  '_contrib_box_decode/corner': 'there is no rule for this operator',
  '_contrib_box_nms/classes': 'there is no rule for this operator',
  '_contrib_box_nms/defaults': 'there is no rule for this operator',
  '_while_loop/three_of_five': 'there is no rule for this operator',
  'diag/matrix': 'there is no rule for this operator',
  'erfinv/inside': 'there is no rule for this operator',
  'gamma/positive': 'there is no rule for this operator',
  'gammaln/positive': 'there is no rule for this operator',
  'im2col/plain': 'there is no rule for this operator',
};

/** Cases whose meaning core has, and that MXNet has no form for. */
const unwritable = new Set(['_cond/then', '_cond/else']);

const folder = new URL('../../../fixtures/ops/mxnet/', import.meta.url);
const families = readdirSync(folder).map(
  (file) =>
    JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as {
      readonly family: string;
      readonly cases: readonly Case[];
    },
);

const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
const decode = ({ dtype, shape, data }: Stored): Tensor =>
  decodeTensor(bytesOf(data), dtype, shape);

/**
 * The model of a case; its inputs state the shapes and types of the case's arrays, as hints that
 * MXNet's files can carry.
 */
function sourceOf({ model, inputs }: Case): Source {
  const symbol = JSON.parse(model.symbol) as {
    nodes: { op: string; name: string; attrs?: Record<string, string> }[];
  };
  for (const node of symbol.nodes) {
    const given = node.op === 'null' ? inputs.find(({ name }) => name === node.name) : undefined;
    if (given)
      node.attrs = {
        ...node.attrs,
        __shape__: `(${given.shape.map((dim) => `${dim},`).join(' ')})`,
        __dtype__: String(typeFlagOf(given.dtype)),
      };
  }
  const files = new Map([
    ['model-symbol.json', new TextEncoder().encode(JSON.stringify(symbol))],
    ['model-0000.params', bytesOf(model.params)],
  ]);
  return memorySource('model-symbol.json', files);
}

async function read(each: Case): Promise<{ model: Model; report: Report }> {
  const report = new Report();
  return { model: await openModel(sourceOf(each), mxnet, { report }), report };
}

async function written(model: Model): Promise<Model> {
  const sink = new MemorySink();
  await writeModel(model, { to: mxnet, sink });
  const report = new Report();
  const again = await openModel(memorySource('model-symbol.json', sink.files), mxnet, { report });
  expect(report.diagnostics).toEqual([]);
  return again;
}

/**
 * Results of the reference, what the operators on the way may lose together (in ULP), and the
 * largest magnitude of a value.
 */
async function run(
  graph: Graph,
  { inputs }: Case,
): Promise<{ outputs: readonly Tensor[]; ulp: number; largest: number }> {
  const given = graph.inputs.map(
    (input) => [input, decode(inputs.find(({ name }) => name === input.name)!)] as const,
  );
  let [ulp, largest] = [1, 0];
  const outputs = await new Evaluator(graph, new Map(given)).run((step) => {
    if (step.path.length > 0) return;
    ulp += step.rounding.ulp;
    if (step.rounding.of === 'one') largest = Math.max(largest, 1);
    for (const { dtype, data } of step.outputs) {
      if (dtype.startsWith('float'))
        for (const x of data as Float64Array)
          if (Number.isFinite(x)) largest = Math.max(largest, Math.abs(x));
    }
  });
  return { outputs, ulp, largest };
}

async function expectResults(graph: Graph, each: Case): Promise<void> {
  const { outputs, ulp, largest } = await run(graph, each);
  each.outputs.forEach((stored, i) => {
    const [actual, expected] = [outputs[i]!, decode(stored)];
    expect([actual.dtype, actual.shape]).toEqual([stored.dtype, stored.shape]);
    const [a, e] = [toNumbers(actual), toNumbers(expected)];
    const precision = precisionOf(expected.dtype);
    const bound =
      ulp *
      (precision ? epsilonOf(precision) : 0) *
      e.reduce((most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most), largest);
    const skipped = new Set(each.undefined?.[stored.name]);
    const wrong = e.findIndex(
      (x, at) => !skipped.has(at) && !Object.is(a[at], x) && !(Math.abs(a[at]! - x) <= bound),
    );
    expect(
      wrong < 0 ? 'agrees' : `element ${wrong} is ${a[wrong]}, not ${e[wrong]} (within ${bound})`,
    ).toBe('agrees');
  });
}

describe.each(families.map(({ family, cases }) => [family, cases] as const))('%s', (_, cases) => {
  const expressible = cases.filter(({ name }) => !(name in foreign));

  it.each(expressible.map((each) => [each.name, each] as const))(
    '%s: the reference gives what MXNet gave, under its names',
    async (_, each) => {
      const { model, report } = await read(each);
      expect(report.diagnostics).toEqual([]);
      expect(model.graph.outputs.map(({ name }) => name)).toEqual(
        each.outputs.map(({ name }) => name),
      );
      await expectResults(model.graph, each);
    },
  );

  const writable = expressible.filter(({ name }) => !unwritable.has(name));
  if (writable.length > 0)
    it.each(writable.map((each) => [each.name, each] as const))(
      '%s: written and read again, it means the same',
      async (_, each) => {
        const again = await written((await read(each)).model);
        expect([...again.graph.nodes].filter(({ op }) => op.name === 'Foreign')).toEqual([]);
        // A scalar comes back as a list of one element.
        await expectResults(again.graph, {
          ...each,
          outputs: each.outputs.map((stored) => ({
            ...stored,
            shape: stored.shape.length === 0 ? [1] : stored.shape,
          })),
        });
      },
    );

  const without = cases.filter(({ name }) => name in foreign);
  if (without.length === 0) return;
  it.each(without.map((each) => [each.name, each] as const))(
    '%s: has no canonical form, and the reason is told',
    async (_, each) => {
      const { model } = await read(each);
      const reasons = [...model.graph.nodes].flatMap(({ op, attrs }) =>
        op.name === 'Foreign' ? [(attrs as unknown as { readonly reason: string }).reason] : [],
      );
      expect(reasons).toContain(foreign[each.name]);
    },
  );
});
