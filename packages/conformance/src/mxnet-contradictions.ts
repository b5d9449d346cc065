import { ByteHandle, memorySource, MemorySink, type Source } from '@drover/core';
import { encodeParams } from '@drover/mxnet/codec';

/** A symbol that says one thing in two ways, of an input `x` of the shape that it is fed with. */
export interface MxnetContradiction {
  readonly what: string;
  readonly symbol: string;
  /** float32 arrays of the elements 0, 1, 2 …, by the name of their variable. */
  readonly arrays: Readonly<Record<string, readonly number[]>>;
  readonly input: readonly number[];
  /** Whether MXNet 1.9.1 runs it as a SymbolBlock, and as a Module. */
  readonly block: boolean;
  readonly module: boolean;
  /** The code of the error that it is, or of the finding where it is read. */
  readonly error?: string;
  readonly finding?: string;
  readonly says?: RegExp;
}

const variable = (name: string, attrs?: Readonly<Record<string, string>>) => ({
  op: 'null',
  name,
  inputs: [],
  ...(attrs && { attrs }),
});
const operator = (
  op: string,
  attrs: Readonly<Record<string, string>>,
  ...inputs: readonly number[]
) => ({ op, name: op.toLowerCase(), attrs, inputs: inputs.map((node) => [node, 0, 0]) });
const symbolOf = (...nodes: readonly { readonly op: string }[]) =>
  JSON.stringify({
    nodes,
    arg_nodes: nodes.flatMap(({ op }, i) => (op === 'null' ? [i] : [])),
    heads: [[nodes.length - 1, 0, 0]],
    attrs: { mxnet_version: ['int', 10901] },
  });

const dense = (attrs: Readonly<Record<string, string>>, hidden = 2) => ({
  symbol: symbolOf(
    variable('x'),
    variable('w', attrs),
    operator('FullyConnected', { num_hidden: String(hidden), no_bias: 'True' }, 0, 1),
  ),
  arrays: { w: [2, 3] },
  input: [1, 3],
});
const filtering = (op: string, kernel: string, filters: number) => ({
  symbol: symbolOf(
    variable('x'),
    variable('w'),
    operator(op, { kernel, num_filter: String(filters), no_bias: 'True' }, 0, 1),
  ),
  arrays: { w: [2, 1, 3, 3] },
  input: op === 'Convolution' ? [1, 1, 7, 7] : [1, 2, 7, 7],
});
const table = (rows: number, columns: number) => ({
  symbol: symbolOf(
    variable('x'),
    variable('w'),
    operator('Embedding', { input_dim: String(rows), output_dim: String(columns) }, 0, 1),
  ),
  arrays: { w: [4, 3] },
  input: [2, 2],
});
const runs = { block: true, module: true };
const refused = { block: false, module: false, error: 'mxnet/attribute' };
const byArray = { block: true, module: false, finding: 'core/wrong-declaration' };

/** Symbols that contradict themselves or their parameters, and some that do not. */
export const contradictions: readonly MxnetContradiction[] = [
  { what: 'a shape that is not that of the array', ...dense({ __shape__: '(2, 4)' }), ...byArray },
  { what: 'a rank that is not', ...dense({ __shape__: '(2, 3, 1)' }), ...byArray },
  {
    what: 'a type that is not',
    ...dense({ __dtype__: '4' }),
    ...byArray,
    says: /w is declared as int32 and stored as float32\[2, 3\]/,
  },
  { what: 'the shape of the array', ...dense({ __shape__: '(2, 3)', __dtype__: '0' }), ...runs },
  { what: 'a shape of an open size', ...dense({ __shape__: '(2, 0)' }), ...runs },
  {
    what: 'num_hidden and the weight',
    ...dense({}, 5),
    ...refused,
    says: /FullyConnected fullyconnected ask for w of the shape \[5, \?\], and it is \[2, 3\]/,
  },
  {
    what: 'the kernel and the filters',
    ...filtering('Convolution', '(5, 5)', 2),
    ...refused,
    says: /\[2, \?, 5, 5\], and it is \[2, 1, 3, 3\]/,
  },
  { what: 'num_filter and the filters', ...filtering('Convolution', '(3, 3)', 4), ...refused },
  { what: 'a convolution', ...filtering('Convolution', '(3, 3)', 2), ...runs },
  {
    what: 'the kernel and the filters, transposed',
    ...filtering('Deconvolution', '(5, 5)', 1),
    ...refused,
  },
  {
    what: 'num_filter and the filters, transposed',
    ...filtering('Deconvolution', '(3, 3)', 2),
    ...refused,
  },
  { what: 'a transposed convolution', ...filtering('Deconvolution', '(3, 3)', 1), ...runs },
  { what: 'input_dim and the table', ...table(5, 3), ...refused },
  { what: 'output_dim and the table', ...table(4, 2), ...refused },
  { what: 'a table', ...table(4, 3), ...runs },
  {
    what: 'two variables of one name',
    symbol: symbolOf(
      variable('x'),
      variable('w'),
      variable('w'),
      operator('FullyConnected', { num_hidden: '2', no_bias: 'True' }, 0, 1),
      operator('Flatten', {}, 2),
      operator('broadcast_add', {}, 3, 4),
    ),
    arrays: { w: [2, 2] },
    input: [1, 2],
    block: true,
    module: false,
    finding: 'mxnet/same-variable',
    says: /named w/,
  },
  {
    what: 'two nodes of one name, which only names them',
    symbol: symbolOf(variable('x'), operator('relu', {}, 0), operator('relu', {}, 1)),
    arrays: {},
    input: [1, 2],
    ...runs,
  },
  {
    what: 'a member of JSON twice: MXNet takes the last, and does not tell',
    symbol: `{"nodes":[{"op":"null","name":"x","inputs":[]},
      {"op":"sum","name":"s","attrs":{"axis":"0","axis":"1"},"inputs":[[0,0,0]]}],
      "arg_nodes":[0],"heads":[[1,0,0]],"attrs":{"mxnet_version":["int",10901]}}`,
    arrays: {},
    input: [1, 2],
    ...runs,
    error: 'core/duplicate',
    says: /"axis"/,
  },
];

/** The files of a model: its symbol, and its arrays. */
export async function filesOf({
  symbol,
  arrays,
}: MxnetContradiction): Promise<ReadonlyMap<string, Uint8Array>> {
  const sink = new MemorySink();
  const file = await sink.create('m-0000.params');
  const written = Object.entries(arrays).map(([name, shape]) => {
    const count = shape.reduce((product, size) => product * size, 1);
    const bytes = new Uint8Array(Float32Array.from({ length: count }, (_, i) => i).buffer);
    return { name: `arg:${name}`, dtype: 'float32' as const, shape, bytes: ByteHandle.of(bytes) };
  });
  await encodeParams(file, written, 'm-0000.params');
  await file.close();
  await sink.commit();
  return sink.files.set('m-symbol.json', new TextEncoder().encode(symbol));
}

/** A model in memory. */
export async function sourceOf(given: MxnetContradiction): Promise<Source> {
  return memorySource('m-symbol.json', await filesOf(given));
}
