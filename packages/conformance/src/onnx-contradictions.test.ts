import { DroverError, openModel, Report, tensor, toNumbers } from '@drover/core';
import { onnx } from '@drover/onnx';
import {
  AttributeType,
  type AttributeProto,
  type FunctionProto,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type ValueInfoProto,
} from '@drover/onnx/codec';
import { onnxruntime } from '@drover/runtimes/onnxruntime';
import { info, initializer, modelOf, node, sourceOfModel } from './small-model.js';

/** What onnxruntime does with a model: cannot load it, loads it and cannot run it, or runs it. */
type Theirs = 'loads not' | 'fails' | 'runs';

/** A model that says one thing in two ways. */
interface Contradiction {
  readonly what: string;
  readonly theirs: Theirs;
  /** The code of the error that it is, or of the warning where it is read. */
  readonly error?: string;
  readonly warning?: string;
  readonly says?: RegExp;
  readonly model: ModelProto;
}

const input = [info('x', 'float32', [2, 3])];
const output = [info('y', 'float32', [2, 3])];
const untyped = { name: 'y', type: { tensorType: { elemType: 1 } } };

const graph = (nodes: readonly NodeProto[], rest: Partial<GraphProto> = {}): GraphProto => ({
  node: nodes,
  input,
  output,
  ...rest,
});
const relu = modelOf(graph([node('Relu', ['x'], ['y'])]));
const chain = (rest: Partial<GraphProto>) =>
  modelOf(graph([node('Relu', ['x'], ['a']), node('Neg', ['a'], ['y'])], rest));
const weight = initializer('w', tensor('float32', [3], [1, 2, 3]));
const adding = (declared: Partial<GraphProto>) =>
  modelOf(graph([node('Add', ['x', 'w'], ['y'])], { initializer: [weight], ...declared }));
const listed = (declared: ValueInfoProto) => adding({ input: [...input, declared] });

const softmax = (...attribute: AttributeProto[]) =>
  modelOf(graph([{ ...node('Softmax', ['x'], ['y']), attribute }]));
const axis = (value: number) => ({ name: 'axis', type: AttributeType.INT, i: value });

const called = (op: string, rest: Partial<FunctionProto> = {}): FunctionProto => ({
  name: 'f',
  domain: 'my',
  input: ['a'],
  output: ['b'],
  node: [node(op, ['a'], ['b'])],
  opsetImport: [{ domain: '', version: 17 }],
  ...rest,
});
const calling = (...functions: FunctionProto[]): ModelProto => ({
  ...modelOf(graph([node('my:f', ['x'], ['y'])])),
  opsetImport: [
    { domain: '', version: 17 },
    { domain: 'my', version: 1 },
  ],
  functions,
});
const importing = (...opsets: readonly (readonly [domain: string, version: number])[]) => ({
  ...relu,
  opsetImport: opsets.map(([domain, version]) => ({ domain, version })),
});

const filtering = (type: string, kernel: readonly number[]) =>
  modelOf({
    node: [node(type, ['x', 'w'], ['y'], { kernel_shape: kernel })],
    input: [info('x', 'float32', [1, 1, 5, 5])],
    output: [untyped],
    initializer: [initializer('w', tensor('float32', [1, 1, 3, 3], new Array<number>(9).fill(1)))],
  });
const recurrent = (hidden: number) =>
  modelOf({
    node: [node('LSTM', ['x', 'w', 'r'], ['', 'y'], { hidden_size: hidden })],
    input: [info('x', 'float32', [4, 1, 3])],
    output: [untyped],
    initializer: [
      initializer('w', tensor('float32', [1, 8, 3], new Array<number>(24).fill(0.1))),
      initializer('r', tensor('float32', [1, 8, 2], new Array<number>(16).fill(0.1))),
    ],
  });

const cases: readonly Contradiction[] = [
  // Functions: onnxruntime takes the last of one name, as the test below shows.
  {
    what: 'two functions of one name',
    theirs: 'runs',
    error: 'core/duplicate',
    says: /my\.f/,
    model: calling(called('Relu'), called('Neg')),
  },
  {
    what: 'two functions of one name, of two overloads',
    theirs: 'runs',
    model: calling(called('Relu', { overload: 'other' }), called('Neg')),
  },
  {
    what: 'two functions of one name and overload',
    theirs: 'runs',
    error: 'core/duplicate',
    says: /my\.f \(overload other\)/,
    model: calling(
      called('Relu', { overload: 'other' }),
      called('Abs', { overload: 'other' }),
      called('Neg'),
    ),
  },
  {
    what: 'two defaults of one attribute of a function',
    theirs: 'runs',
    error: 'core/duplicate',
    says: /axis/,
    model: calling(called('Relu', { attributeProto: [axis(0), axis(1)] })),
  },
  {
    what: 'two versions of one operator set in a function',
    theirs: 'runs',
    error: 'core/duplicate',
    says: /my\.f.*17 and 13/,
    model: calling(
      called('Relu', {
        opsetImport: [
          { domain: '', version: 17 },
          { domain: 'ai.onnx', version: 13 },
        ],
      }),
    ),
  },
  // Operator sets: onnxruntime takes the last, the schema says the highest.
  {
    what: 'two versions of one operator set',
    theirs: 'runs',
    error: 'core/duplicate',
    says: /17 and 12/,
    model: importing(['', 17], ['', 12]),
  },
  {
    what: 'two versions of the default operator set in its two spellings',
    theirs: 'runs',
    error: 'core/duplicate',
    model: importing(['', 17], ['ai.onnx', 12]),
  },
  {
    what: 'two versions of an operator set of a domain',
    theirs: 'loads not',
    error: 'core/duplicate',
    says: /com\.microsoft/,
    model: importing(['', 17], ['com.microsoft', 1], ['com.microsoft', 2]),
  },
  {
    what: 'one version of an operator set, stated twice',
    theirs: 'runs',
    model: importing(['', 17], ['', 17]),
  },
  // Attributes.
  {
    what: 'an attribute twice',
    theirs: 'loads not',
    error: 'core/duplicate',
    says: /Softmax_y.*axis/,
    model: softmax(axis(0), axis(1)),
  },
  {
    what: 'an attribute of another type than the operator has',
    theirs: 'loads not',
    error: 'onnx/graph',
    says: /axis is not of type INT/,
    model: softmax({ name: 'axis', type: AttributeType.FLOAT, f: 1 }),
  },
  {
    what: 'an attribute of another type than its value',
    theirs: 'loads not',
    error: 'onnx/graph',
    says: /axis is of type 2 and has a value in the field f/,
    model: softmax({ name: 'axis', type: AttributeType.INT, f: 1 }),
  },
  {
    what: 'a kernel_shape that is not that of the filters',
    theirs: 'fails',
    error: 'onnx/graph',
    says: /Conv_y: its kernel_shape is \[5, 5\], and its filters are \[3, 3\]/,
    model: filtering('Conv', [5, 5]),
  },
  {
    what: 'a kernel_shape of another rank',
    theirs: 'loads not',
    error: 'onnx/graph',
    model: filtering('Conv', [3]),
  },
  {
    what: 'a kernel_shape that is not that of the filters, transposed',
    theirs: 'fails',
    error: 'onnx/graph',
    model: filtering('ConvTranspose', [2, 2]),
  },
  { what: 'a kernel_shape of the filters', theirs: 'runs', model: filtering('Conv', [3, 3]) },
  {
    what: 'a hidden_size that is not that of the weights',
    theirs: 'fails',
    error: 'core/invalid-shape',
    model: recurrent(3),
  },
  // Stored tensors that are listed among the inputs.
  {
    what: 'a stored tensor of another type than declared',
    theirs: 'loads not',
    error: 'core/invalid-shape',
    says: /w is declared as int32\[3\] and is float32\[3\]/,
    model: listed(info('w', 'int32', [3])),
  },
  {
    what: 'a stored tensor of another size than declared',
    theirs: 'loads not',
    error: 'core/invalid-shape',
    model: listed(info('w', 'float32', [4])),
  },
  {
    what: 'a stored tensor of another rank than declared',
    theirs: 'loads not',
    error: 'core/invalid-shape',
    model: listed(info('w', 'float32', [1, 3])),
  },
  {
    what: 'a stored tensor of a free size',
    theirs: 'runs',
    model: listed(info('w', 'float32', ['n'])),
  },
  { what: 'a stored tensor without a type', theirs: 'runs', model: listed({ name: 'w' }) },
  // What is declared of values: another type is an error in onnxruntime, too, other sizes are not.
  {
    what: 'another type than a node makes',
    theirs: 'loads not',
    error: 'core/invalid-shape',
    says: /a is declared as int32\[2, 3\] and is float32\[2, 3\]/,
    model: chain({ valueInfo: [info('a', 'int32', [2, 3])] }),
  },
  {
    what: 'another type of an output than a node makes',
    theirs: 'loads not',
    error: 'core/invalid-shape',
    model: chain({ output: [info('y', 'int32', [2, 3])] }),
  },
  {
    what: 'another size than follows',
    theirs: 'runs',
    warning: 'core/wrong-declaration',
    says: /a is declared as float32\[2, 4\] and is float32\[2, 3\]/,
    model: chain({ valueInfo: [info('a', 'float32', [2, 4])] }),
  },
  {
    what: 'another rank than follows',
    theirs: 'runs',
    warning: 'core/wrong-declaration',
    model: chain({ valueInfo: [info('a', 'float32', [2, 3, 1])] }),
  },
  {
    what: 'another size of an output than follows',
    theirs: 'runs',
    warning: 'core/wrong-declaration',
    model: chain({ output: [info('y', 'float32', [2, 4])] }),
  },
  {
    what: 'another size of an input, a second time',
    theirs: 'runs',
    warning: 'core/wrong-declaration',
    model: chain({ valueInfo: [info('x', 'float32', [2, 4])] }),
  },
  {
    what: 'another type of an input, a second time',
    theirs: 'runs',
    warning: 'core/wrong-declaration',
    model: chain({ valueInfo: [info('x', 'int32', [2, 3])] }),
  },
  {
    what: 'another type of a stored tensor that is no input',
    theirs: 'runs',
    warning: 'core/wrong-declaration',
    model: adding({ valueInfo: [info('w', 'int32', [3])] }),
  },
  {
    what: 'two sizes of a value',
    theirs: 'runs',
    warning: 'core/wrong-declaration',
    model: chain({ valueInfo: [info('a', 'float32', [2, 3]), info('a', 'float32', [2, 4])] }),
  },
  {
    what: 'many sizes, which are told at once',
    theirs: 'runs',
    warning: 'core/wrong-declaration',
    says: /a is declared.*; y is declared/,
    model: chain({
      valueInfo: [info('a', 'float32', [7, 3])],
      output: [info('y', 'float32', [7, 3])],
    }),
  },
  {
    what: 'free sizes, and the right ones',
    theirs: 'runs',
    model: chain({ valueInfo: [info('a', 'float32', ['n', 3])], output }),
  },
  {
    what: 'a size of 0 or -1, by which exporters mean one that is not known',
    theirs: 'runs',
    model: chain({ valueInfo: [info('a', 'float32', [0, -1])] }),
  },
  {
    what: 'a value that there is not',
    theirs: 'runs',
    model: chain({ valueInfo: [info('z', 'float32', [9])] }),
  },
  {
    what: 'another size in a body',
    theirs: 'runs',
    warning: 'core/wrong-declaration',
    says: /The graph then/,
    model: modelOf(
      graph(
        [
          node('If', ['c'], ['y'], {
            then_branch: {
              g: {
                name: 'then',
                node: [node('Relu', ['x'], ['t'])],
                output: [info('t', 'float32', [2, 4])],
              },
            },
            else_branch: {
              g: {
                name: 'else',
                node: [node('Neg', ['x'], ['e'])],
                output: [info('e', 'float32', [2, 3])],
              },
            },
          }),
        ],
        { input: [...input, info('c', 'bool', [])] },
      ),
    ),
  },
  // Names.
  {
    what: 'two inputs of one name',
    theirs: 'loads not',
    error: 'core/duplicate',
    model: modelOf({ node: relu.graph!.node!, input: [...input, ...input], output }),
  },
  {
    what: 'two nodes of one name, which only names them',
    theirs: 'loads not',
    model: modelOf(
      graph([
        { ...node('Relu', ['x'], ['a']), name: 'n' },
        { ...node('Neg', ['a'], ['y']), name: 'n' },
      ]),
    ),
  },
  {
    what: 'metadata twice',
    theirs: 'runs',
    warning: 'core/wrong-declaration',
    says: /"author"/,
    model: {
      ...relu,
      metadataProps: [
        { key: 'author', value: 'a' },
        { key: 'author', value: 'b' },
      ],
    },
  },
];

async function inOnnxruntime(model: ModelProto): Promise<Theirs | readonly number[]> {
  const loaded = await onnxruntime()
    .load({ source: await sourceOfModel(model) })
    .catch((error: unknown) => {
      if (error instanceof DroverError) return undefined;
      throw error;
    });
  if (!loaded) return 'loads not';
  try {
    const given = loaded.inputs.map(({ name, dtype, shape }) => {
      const sizes = shape?.map(Number) ?? [];
      const count = sizes.reduce((product, size) => product * size, 1);
      const values = new Array<number>(count).fill(dtype === 'bool' ? 1 : -1);
      return [name, tensor(dtype!, sizes, values)] as const;
    });
    return Array.from(toNumbers((await loaded.run(new Map(given))).get('y')!));
  } catch (error) {
    if (error instanceof DroverError) return 'fails';
    throw error;
  } finally {
    await loaded.dispose();
  }
}

describe('what an ONNX file says in two ways', () => {
  it.each(cases.map((each) => [each.what, each] as const))(
    '%s',
    async (_, { theirs, error, warning, says = /./, model }) => {
      const got = await inOnnxruntime(model);
      expect(typeof got === 'string' ? got : 'runs').toBe(theirs);
      const report = new Report();
      const thrown: unknown = await openModel(await sourceOfModel(model), onnx, { report }).then(
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
    },
  );

  it('is an error where onnxruntime goes by the last: nothing says that it is the one meant', async () => {
    // -1 through Relu is 0, through Neg 1.
    const [relu0, neg1] = [new Array<number>(6).fill(0), new Array<number>(6).fill(1)];
    expect(await inOnnxruntime(calling(called('Neg'), called('Relu')))).toEqual(relu0);
    expect(await inOnnxruntime(calling(called('Relu'), called('Neg')))).toEqual(neg1);
    // Softmax was over all dimensions from the axis on before version 13, and is over one since.
    const flat = (first: number, second: number) => ({
      ...modelOf({
        node: [node('Softmax', ['x'], ['y'], { axis: 1 })],
        input: [info('x', 'float32', [1, 2, 2])],
        output: [info('y', 'float32', [1, 2, 2])],
      }),
      opsetImport: [first, second].map((version) => ({ domain: '', version })),
    });
    expect(await inOnnxruntime(flat(17, 12))).toEqual([0.25, 0.25, 0.25, 0.25]);
    expect(await inOnnxruntime(flat(12, 17))).toEqual([0.5, 0.5, 0.5, 0.5]);
  });
});
