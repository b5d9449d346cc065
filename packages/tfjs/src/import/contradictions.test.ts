import '@tensorflow/tfjs-backend-cpu';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import type { io } from '@tensorflow/tfjs-core';
import { DroverError, memorySource, openModel, Report, type DType } from '@drover/core';
import { tfjs } from '../format.js';

/** A model.json of `y = x + c` that says one thing in two ways. */
interface Contradiction {
  readonly what: string;
  /** What TF.js makes of ones. */
  readonly theirs: readonly number[];
  readonly error?: string;
  readonly warning?: string;
  readonly says?: RegExp;
  /** The constant as the graph has it: its type, and its shape where it tells one. */
  readonly constant?: { readonly dtype?: string; readonly shape?: readonly number[] };
  /** Types and values of the stored weights. */
  readonly weights?: readonly { readonly dtype: DType; readonly values: readonly number[] }[];
  readonly signature?: { readonly x?: object; readonly y?: object };
  readonly more?: { readonly nodes?: readonly object[]; readonly functions?: readonly string[] };
  /** Another text than that of the document. */
  readonly spell?: (json: string) => string;
}

const shapeOf = (...sizes: readonly number[]) => ({
  dim: sizes.map((size) => ({ size: String(size) })),
});
const float = { type: 'DT_FLOAT' };
const stored = (dtype: DType, ...values: readonly number[]) => ({ dtype, values });

function sourceOf(given: Contradiction) {
  const { constant = {}, signature = {}, more = {}, spell = (json) => json } = given;
  const { weights = [stored('float32', 1, 2)] } = given;
  const type = { type: constant.dtype ?? 'DT_FLOAT' };
  const json = {
    format: 'graph-model',
    signature: {
      inputs: { x: { name: 'x:0', dtype: 'DT_FLOAT', tensorShape: shapeOf(2), ...signature.x } },
      outputs: { y: { name: 'y:0', dtype: 'DT_FLOAT', tensorShape: shapeOf(2), ...signature.y } },
    },
    modelTopology: {
      versions: { producer: 1482 },
      node: [
        { name: 'x', op: 'Placeholder', attr: { dtype: float, shape: { shape: shapeOf(2) } } },
        {
          name: 'c',
          op: 'Const',
          attr: {
            dtype: type,
            ...(constant.shape && {
              value: { tensor: { dtype: type.type, tensorShape: shapeOf(...constant.shape) } },
            }),
          },
        },
        { name: 'y', op: 'AddV2', input: ['x', 'c'], attr: { T: float } },
        ...(more.nodes ?? []),
      ],
      library: {
        function: (more.functions ?? []).map((name) => ({
          signature: { name, inputArg: [], outputArg: [] },
          nodeDef: [],
          ret: {},
        })),
      },
    },
    weightsManifest: [
      {
        paths: ['w.bin'],
        weights: weights.map(({ dtype, values }) => ({ name: 'c', shape: [values.length], dtype })),
      },
    ],
  };
  const bytes = weights.flatMap(({ dtype, values }) => {
    const array = dtype === 'float32' ? Float32Array.from(values) : Int32Array.from(values);
    return [...new Uint8Array(array.buffer)];
  });
  return memorySource(
    'model.json',
    new Map([
      ['model.json', new TextEncoder().encode(spell(JSON.stringify(json)))],
      ['w.bin', Uint8Array.from(bytes)],
    ]),
  );
}

const cases: readonly Contradiction[] = [
  { what: 'nothing', theirs: [2, 3] },
  {
    what: 'a constant of another shape than is stored',
    constant: { shape: [5] },
    theirs: [2, 3],
    warning: 'core/wrong-declaration',
    says: /c is said to have the shape \[5\], and is stored with \[2\]/,
  },
  { what: 'a constant of the shape that is stored', constant: { shape: [2] }, theirs: [2, 3] },
  { what: 'a constant of an open shape', constant: { shape: [-1] }, theirs: [2, 3] },
  {
    what: 'a constant of another kind of elements than is stored',
    weights: [stored('int32', 1, 2)],
    theirs: [2, 3],
    error: 'tfjs/weights',
    says: /c is float32, and is stored as int32/,
  },
  {
    what: 'two weights of one name',
    weights: [stored('float32', 1, 2), stored('float32', 5, 6)],
    theirs: [6, 7],
    error: 'core/duplicate',
    says: /"c"/,
  },
  {
    what: 'two nodes of one name',
    more: { nodes: [{ name: 'y', op: 'Sub', input: ['x', 'c'], attr: { T: float } }] },
    theirs: [0, -1],
    error: 'core/duplicate',
    says: /"y"/,
  },
  {
    what: 'two functions of one name',
    more: { functions: ['f', 'f'] },
    theirs: [2, 3],
    error: 'core/duplicate',
    says: /"f"/,
  },
  {
    what: 'a member of JSON twice',
    spell: (json) => json.replace('"op":"AddV2"', '"op":"AddV2","op":"Sub"'),
    theirs: [0, -1],
    error: 'core/duplicate',
    says: /"op"/,
  },
  {
    what: 'an input of another type in the signature',
    signature: { x: { dtype: 'DT_INT32' } },
    theirs: [2, 3],
    warning: 'core/wrong-declaration',
    says: /input x is DT_INT32\[2\], and its placeholder is DT_FLOAT\[2\]/,
  },
  {
    what: 'an input of another size in the signature',
    signature: { x: { tensorShape: shapeOf(7) } },
    theirs: [2, 3],
    warning: 'core/wrong-declaration',
  },
  {
    what: 'an input of another rank in the signature',
    signature: { x: { tensorShape: shapeOf(1, 2) } },
    theirs: [2, 3],
    warning: 'core/wrong-declaration',
  },
  {
    what: 'an input of an open size in the signature',
    signature: { x: { tensorShape: shapeOf(-1) } },
    theirs: [2, 3],
  },
  {
    what: 'an output of another type in the signature',
    signature: { y: { dtype: 'DT_INT32' } },
    theirs: [2, 3],
    warning: 'core/wrong-declaration',
    says: /output y:0 is DT_INT32\[2\], and it is float32\[2\]/,
  },
  {
    what: 'an output of another size in the signature',
    signature: { y: { tensorShape: shapeOf(3) } },
    theirs: [2, 3],
    warning: 'core/wrong-declaration',
  },
  {
    what: 'an output of an open size in the signature',
    signature: { y: { tensorShape: { unknownRank: true } } },
    theirs: [2, 3],
  },
];

async function inTfjs(given: Contradiction): Promise<readonly number[]> {
  const source = sourceOf(given);
  const { modelTopology, signature, weightsManifest } = JSON.parse(
    new TextDecoder().decode(await source.read()),
  ) as io.ModelJSON;
  const artifacts: io.ModelArtifacts = {
    modelTopology,
    ...(signature && { signature }),
    weightSpecs: weightsManifest!.flatMap(({ weights }) => weights),
    weightData: (await (await source.sibling('w.bin')).read()).slice().buffer,
  };
  const model = await loadGraphModel({ load: async () => artifacts });
  const ones = tf.tensor([1, 1], [2], 'float32');
  const result = model.execute({ x: ones }, 'y') as tf.Tensor;
  const values = [...(await result.data())];
  tf.dispose([ones, result]);
  model.dispose();
  return values;
}

describe('what a model.json says in two ways', () => {
  it.each(cases.map((each) => [each.what, each] as const))('%s', async (_, given) => {
    const { theirs, error, warning, says = /./ } = given;
    expect(await inTfjs(given)).toEqual(theirs);
    const report = new Report();
    const thrown: unknown = await openModel(sourceOf(given), tfjs, { report }).then(
      () => undefined,
      (each: unknown) => each,
    );
    if (thrown !== undefined) expect(thrown).toBeInstanceOf(DroverError);
    const told = [...((thrown as DroverError | undefined)?.diagnostics ?? report.diagnostics)];
    expect(told.map(({ code, severity }) => [code, severity])).toEqual([
      ...(error ? [[error, 'error']] : []),
      ...(warning ? [[warning, 'warning']] : []),
    ]);
    for (const { message } of told) expect(message).toMatch(says);
  });

  it('is read by the placeholder where the signature contradicts it, as TF.js does', async () => {
    const given = cases.find(({ what }) => what === 'an input of another size in the signature')!;
    const { graph } = await openModel(sourceOf(given), tfjs, { report: new Report() });
    expect(graph.inputs.map(String)).toEqual(['x: float32[2]']);
  });
});
