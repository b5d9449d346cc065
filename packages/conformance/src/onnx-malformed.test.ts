import {
  ConversionError,
  convert,
  DroverError,
  MemorySink,
  memorySource,
  Report,
  tensor,
  type Source,
  openModel,
  type Format,
} from '@drover/core';
import { onnx } from '@drover/onnx';
import { tfjs } from '@drover/tfjs';
import {
  DataLocation,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type TensorProto,
} from '@drover/onnx/codec';
import { countWork } from './count-work.js';
import { bytesOfModel, info, initializer, modelOf, node, sourceOfModel } from './small-model.js';

const input = [info('x', 'float32', [2, 3])];
const output = [{ name: 'y' }];
const weight = initializer('w', tensor('float32', [3], [1, 2, 3]));
const graph = (nodes: readonly NodeProto[], rest: Partial<GraphProto> = {}): GraphProto => ({
  node: nodes,
  input,
  output,
  ...rest,
});
const external = (
  location: string,
  entries: Readonly<Record<string, string>> = {},
): TensorProto => ({
  name: 'w',
  dataType: 1,
  dims: [3],
  dataLocation: DataLocation.EXTERNAL,
  externalData: Object.entries({ location, ...entries }).map(([key, value]) => ({ key, value })),
});
const adding = (tensor: TensorProto) =>
  modelOf(graph([node('Add', ['x', 'w'], ['y'])], { initializer: [tensor] }));

/** Ifs within Ifs. */
function nested(depth: number): GraphProto {
  let inner: GraphProto = {
    name: 'leaf',
    node: [node('Relu', ['x'], [`y${depth}`])],
    output: [{ name: `y${depth}` }],
  };
  for (let i = depth - 1; i >= 0; i--) {
    const other: GraphProto = {
      name: 'other',
      node: [node('Neg', ['x'], [`z${i}`])],
      output: [{ name: `z${i}` }],
    };
    inner = {
      name: `level${i}`,
      node: [
        node('If', ['c'], [`y${i}`], { then_branch: { g: inner }, else_branch: { g: other } }),
      ],
      output: [{ name: `y${i}` }],
    };
  }
  return { ...inner, input: [...input, info('c', 'bool', [])] };
}

const called = (name: string, nodes: readonly NodeProto[]) => ({
  name,
  domain: 'my',
  input: ['a'],
  output: ['b'],
  node: nodes,
  opsetImport: [{ domain: '', version: 17 }],
});
const withFunctions = (...functions: NonNullable<ModelProto['functions']>): ModelProto => ({
  ...modelOf(graph([node('my:f', ['x'], ['y'])])),
  functions,
});

/** Converts and expects a typed failure with nothing written. */
async function failure(
  source: Source,
  to: Format = onnx,
): Promise<{ codes: readonly string[]; error: DroverError; files: number }> {
  const sink = new MemorySink();
  const error = await convert({
    from: onnx,
    to,
    source,
    sink,
    ...(to === onnx && { options: { opset: 17 } }),
  }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(DroverError);
  const typed = error as DroverError;
  for (const { help, message } of typed.diagnostics)
    expect([help.length > 0, message.length > 0, message.includes('undefined')]).toEqual([
      true,
      true,
      false,
    ]);
  return { codes: typed.diagnostics.map(({ code }) => code), error: typed, files: sink.files.size };
}

const cases: readonly (readonly [what: string, code: string, names: RegExp, model: ModelProto])[] =
  [
    ['data that is missing', 'core/missing-file', /w\.bin/, adding(external('w.bin'))],
    ['data in a folder above', 'core/path', /\.\.\/w\.bin/, adding(external('../w.bin'))],
    ['data under an absolute path', 'core/path', /\/dev\/zero/, adding(external('/dev/zero'))],
    ['data under a path of Windows', 'core/path', /C:/, adding(external('C:\\w.bin'))],
    ['data under a name with NUL', 'core/path', /w\.bin/, adding(external('w.bin\u0000.txt'))],
    [
      'data outside, in a constant of a body',
      'core/path',
      /secret/,
      modelOf(
        graph([
          {
            opType: 'Constant',
            output: ['k'],
            attribute: [{ name: 'value', type: 4, t: external('../secret') }],
          },
          node('Add', ['x', 'k'], ['y']),
        ]),
      ),
    ],
    [
      'data outside, in a function',
      'core/path',
      /secret/,
      withFunctions(
        called('f', [
          {
            opType: 'Constant',
            output: ['k'],
            attribute: [{ name: 'value', type: 4, t: external('../secret') }],
          },
          node('Add', ['a', 'k'], ['b']),
        ]),
      ),
    ],
    [
      'less data than the shape says',
      'onnx/tensor-size',
      /w/,
      adding({ name: 'w', dataType: 1, dims: [3], rawData: new Uint8Array(8) }),
    ],
    [
      'more data than the shape says',
      'onnx/tensor-size',
      /w/,
      adding({ name: 'w', dataType: 1, dims: [3], rawData: new Uint8Array(16) }),
    ],
    [
      'an unknown element type',
      'onnx/tensor-dtype',
      /99/,
      adding({ name: 'w', dataType: 99, dims: [3], rawData: new Uint8Array(12) }),
    ],
    [
      'a value that nothing makes',
      'onnx/graph',
      /"nowhere".*Add_y/s,
      modelOf(graph([node('Add', ['x', 'nowhere'], ['y'])])),
    ],
    [
      'an output that nothing makes',
      'onnx/graph',
      /"y"/,
      modelOf(graph([node('Relu', ['x'], ['z'])])),
    ],
    [
      'a circle',
      'onnx/graph',
      /Add_a.*Relu_b|Relu_b.*Add_a/,
      modelOf(
        graph([
          node('Add', ['x', 'b'], ['a']),
          node('Relu', ['a'], ['b']),
          node('Relu', ['b'], ['y']),
        ]),
      ),
    ],
    [
      'a node that needs itself',
      'onnx/graph',
      /Add_y depends on itself/,
      modelOf(graph([node('Add', ['x', 'y'], ['y'])])),
    ],
    [
      'a circle through a body',
      'onnx/graph',
      /If_y/,
      modelOf(
        graph(
          [
            node('If', ['c'], ['y'], {
              then_branch: { g: { node: [node('Relu', ['y'], ['t'])], output: [{ name: 't' }] } },
              else_branch: { g: { node: [node('Relu', ['x'], ['e'])], output: [{ name: 'e' }] } },
            }),
          ],
          { input: [...input, info('c', 'bool', [])] },
        ),
      ),
    ],
    [
      'two values of one name',
      'core/duplicate',
      /"a"/,
      modelOf(
        graph([node('Relu', ['x'], ['a']), node('Neg', ['x'], ['a']), node('Abs', ['a'], ['y'])]),
      ),
    ],
    [
      'two constants of one name',
      'core/duplicate',
      /"w"/,
      modelOf(graph([node('Add', ['x', 'w'], ['y'])], { initializer: [weight, weight] })),
    ],
    [
      'two outputs of one name',
      'core/duplicate',
      /"y"/,
      modelOf(graph([node('Relu', ['x'], ['y'])], { output: [{ name: 'y' }, { name: 'y' }] })),
    ],
    [
      'a function that calls itself',
      'onnx/graph',
      /my\.f calls itself/,
      withFunctions(called('f', [node('my:f', ['a'], ['b'])])),
    ],
    [
      'two functions that call each other',
      'onnx/graph',
      /my\.f calls itself/,
      withFunctions(
        called('f', [node('my:g', ['a'], ['b'])]),
        called('g', [node('my:f', ['a'], ['b'])]),
      ),
    ],
    [
      'a function that calls itself in a body',
      'onnx/graph',
      /my\.f calls itself/,
      withFunctions(
        called('f', [
          node('Greater', ['a', 'a'], ['c']),
          node('ReduceMax', ['a'], ['m'], { keepdims: 0 }),
          node('Cast', ['m'], ['p'], { to: 9 }),
          node('If', ['p'], ['b'], {
            then_branch: { g: { node: [node('my:f', ['a'], ['t'])], output: [{ name: 't' }] } },
            else_branch: { g: { node: [node('Relu', ['a'], ['e'])], output: [{ name: 'e' }] } },
          }),
        ]),
      ),
    ],
    [
      'functions that double at every level',
      'core/limit',
      /maxNodes/,
      withFunctions(
        ...Array.from({ length: 40 }, (_, i) =>
          called(
            i === 0 ? 'f' : `f${i}`,
            i === 39
              ? [node('Relu', ['a'], ['b'])]
              : [node(`my:f${i + 1}`, ['a'], ['m']), node(`my:f${i + 1}`, ['m'], ['b'])],
          ),
        ),
      ),
    ],
    [
      'an operator set of the future',
      'onnx/opset',
      /9999.*7 to/,
      modelOf(graph([node('Relu', ['x'], ['y'])]), 9999),
    ],
    [
      'a negative operator set',
      'onnx/opset',
      /-1/,
      modelOf(graph([node('Relu', ['x'], ['y'])]), -1),
    ],
    [
      'an operator set that is too old',
      'onnx/opset',
      /\b6\b/,
      modelOf(graph([node('Relu', ['x'], ['y'])]), 6),
    ],
    [
      'no operator set',
      'onnx/opset',
      /does not say/,
      { ...modelOf(graph([node('Relu', ['x'], ['y'])])), opsetImport: [] },
    ],
    [
      'a format of the future',
      'onnx/opset',
      /999/,
      { ...modelOf(graph([node('Relu', ['x'], ['y'])])), irVersion: 999 },
    ],
    ['bodies 32 deep', 'core/limit', /maxSubgraphDepth/, modelOf(nested(32))],
    [
      'an operand that is missing',
      'onnx/graph',
      /operand 1/,
      modelOf(graph([node('Add', ['x'], ['y'])])),
    ],
    [
      'an attribute that is missing',
      'onnx/graph',
      /axis/,
      modelOf(graph([node('Concat', ['x', 'x'], ['y'])])),
    ],
    [
      'shapes that do not fit',
      'core/invalid-shape',
      /MatMul/,
      modelOf(graph([node('MatMul', ['x', 'x'], ['y'])])),
    ],
    [
      'types that do not fit',
      'core/invalid-graph',
      /And/,
      modelOf(graph([node('And', ['x', 'x'], ['y'])])),
    ],
    [
      'groups of 0',
      'core/invalid-shape',
      /Conv/,
      modelOf(
        graph([node('Conv', ['x', 'w'], ['y'], { group: 0 })], {
          input: [info('x', 'float32', [1, 2, 5])],
          initializer: [
            initializer('w', tensor('float32', [2, 2, 3], new Array<number>(12).fill(1))),
          ],
        }),
      ),
    ],
    [
      'strides of 0',
      'core/invalid-shape',
      /MaxPool/,
      modelOf(
        graph([node('MaxPool', ['x'], ['y'], { kernel_shape: [2], strides: [0] })], {
          input: [info('x', 'float32', [1, 2, 5])],
        }),
      ),
    ],
    [
      'an input that is a sequence',
      'core/signature-type',
      /x/,
      modelOf(
        graph([node('Relu', ['x'], ['y'])], {
          input: [
            { name: 'x', type: { sequenceType: { elemType: info('x', 'float32', [1]).type! } } },
          ],
        }),
      ),
    ],
    [
      'an output that is a sequence',
      'core/signature-type',
      /y/,
      modelOf(graph([node('SplitToSequence', ['x'], ['y'])])),
    ],
    [
      'more scanned operands than operands',
      'onnx/graph',
      /scans 5 of 1/,
      modelOf(
        graph([node('Scan', ['x'], ['y'], { num_scan_inputs: 5, body: { g: { node: [] } } })]),
      ),
    ],
    [
      'a count of parts beyond reason',
      'onnx/graph',
      /num_outputs/,
      modelOf(graph([node('Split', ['x'], ['y'], { num_outputs: 2 ** 40 })]), 18),
    ],
  ];

/** Loops in one another, each of which carries a list that grows by one element with every trip. */
function growingLoops(depth: number): NodeProto[] {
  const inner = depth > 1 ? growingLoops(depth - 1) : [node('Relu', [`v${depth}`], [`w${depth}`])];
  const body = {
    node: [
      ...inner,
      node('Concat', [`w${depth}`, 'x'], [`n${depth}`], { axis: 0 }),
      node('Identity', [`c${depth}`], [`g${depth}`]),
    ],
    input: [
      info(`i${depth}`, 'int64', []),
      info(`c${depth}`, 'bool', []),
      info(`v${depth}`, 'float32', ['free']),
    ],
    output: [info(`g${depth}`, 'bool', []), info(`n${depth}`, 'float32', ['free'])],
  };
  return [
    node(
      'Loop',
      ['trips', '', depth === 30 ? 'x' : `v${depth + 1}`],
      [depth === 30 ? 'y' : `w${depth + 1}`],
      { body: { g: body } },
    ),
  ];
}

const unbounded: readonly (readonly [what: string, names: RegExp, model: ModelProto])[] = [
  [
    'loops in loops whose types change',
    /Loop.*too many loops deep/s,
    modelOf(
      graph(growingLoops(30), { initializer: [initializer('trips', tensor('int64', [], [2]))] }),
    ),
  ],
  [
    'a sequence of parts beyond reason',
    /SplitToSequence.*parts/s,
    modelOf(
      graph(
        [
          node('SplitToSequence', ['x'], ['s'], { keepdims: 1 }),
          node('ConcatFromSequence', ['s'], ['y'], { axis: 0 }),
        ],
        {
          input: [info('x', 'float32', [2 ** 40])],
        },
      ),
    ),
  ],
  [
    'regions sampled at places beyond reason',
    /RoiAlign/,
    modelOf(
      graph(
        [
          node('RoiAlign', ['x', 'r', 'b'], ['y'], {
            sampling_ratio: 2 ** 30,
            output_height: 2 ** 30,
            output_width: 1,
          }),
        ],
        {
          input: [
            info('x', 'float32', [1, 1, 4, 4]),
            info('r', 'float32', [1, 4]),
            info('b', 'int64', [1]),
          ],
        },
      ),
    ),
  ],
];

test.each(unbounded)('%s are refused in no time', async (_, names, model) => {
  const { error, files } = await failure(await sourceOfModel(model), tfjs);
  expect(error.message).toMatch(names);
  expect(files).toBe(0);
});

describe('broken models end in a typed error, and nothing is written', () => {
  it.each(cases)('%s: %s', async (_, code, names, model) => {
    const { codes, error, files } = await failure(await sourceOfModel(model));
    expect(codes).toEqual([code]);
    expect(error.message).toMatch(names);
    expect(error.diagnostics[0]!.origin.file).toBe(
      code === 'core/missing-file' ? 'w.bin' : 'model.onnx',
    );
    expect(files).toBe(0);
  });

  it('a file that ends anywhere', async () => {
    const bytes = await bytesOfModel({
      ...adding(weight),
      opsetImport: [{ domain: '', version: 17 }],
    });
    for (let length = 0; length < bytes.length; length++) {
      const sink = new MemorySink();
      const result = await convert({
        from: onnx,
        to: onnx,
        source: memorySource('m.onnx', new Map([['m.onnx', bytes.subarray(0, length)]])),
        sink,
        options: { opset: 17 },
      }).then(
        () => 'converted',
        (error: unknown) => (error instanceof DroverError ? error.failure : error),
      );
      expect(['malformed', 'unsupported', 'limit']).toContain(result);
      expect(sink.files.size).toBe(0);
    }
  });
});

describe('large and deep models are read', () => {
  it('bodies 29 deep', async () => {
    const report = new Report();
    await openModel(await sourceOfModel(modelOf(nested(29))), onnx, { report });
    expect(report.diagnostics).toEqual([]);
  });

  describe.each(['in order', 'the other way round'])('a chain of nodes %s', (order) => {
    const chain = async (count: number) => {
      const nodes = Array.from({ length: count }, (_, i) => ({
        opType: 'Relu',
        input: [i === 0 ? 'x' : `v${i - 1}`],
        output: [i === count - 1 ? 'y' : `v${i}`],
        name: `n${i}`,
      }));
      return sourceOfModel(modelOf(graph(order === 'in order' ? nodes : nodes.toReversed())));
    };

    it('of 100,000', async () => {
      const model = await openModel(await chain(100_000), onnx);
      expect(model.graph.size).toBe(100_000);
    });

    it('in as many steps for each as there are for one of a shorter chain', async () => {
      const work = async (count: number) => {
        const source = await chain(count);
        return countWork(() => openModel(source, onnx));
      };
      expect((await work(8_000)) / (await work(1_000))).toBeLessThan(8.5);
    });
  });

  it('names that JavaScript gives meaning to, and a name of a megabyte', async () => {
    const names = [
      '__proto__',
      'constructor',
      'toString',
      'a\u0000b',
      '\u202egnp.exe',
      'n'.repeat(1_000_000),
    ];
    const nodes = names.map((name, i) => ({
      opType: 'Neg',
      input: [i === 0 ? 'x' : names[i - 1]!],
      output: [name],
      name,
    }));
    const source = await sourceOfModel(
      modelOf(graph([...nodes, node('Abs', [names.at(-1)!], ['y'])])),
    );
    const model = await openModel(source, onnx);
    expect([...model.graph.nodes].slice(0, names.length).map(({ name }) => name)).toEqual(names);
  });
});

describe('operators without a canonical form', () => {
  const unknown = modelOf(
    graph([
      node('Frobnicate', ['x'], ['a'], { speed: 3 }),
      node('Where', ['a', 'x', 'x'], ['b']),
      node('acme:Widget', ['b'], ['c'], { size: { f: 0.5 } }),
      node('Det', ['c'], ['y']),
    ]),
  );

  it('are told with the reason, and what only follows from them is not', async () => {
    const model = await openModel(await sourceOfModel(unknown), onnx);
    expect([...model.graph.nodes].map(({ op }) => op.name)).toEqual([
      'Foreign',
      'Foreign',
      'Foreign',
      'Foreign',
    ]);
    const sink = new MemorySink();
    const error = await convert({
      from: onnx,
      to: onnx,
      source: await sourceOfModel(unknown),
      sink,
      options: { opset: 21 },
    }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConversionError);
    const told = (error as ConversionError).diagnostics.map(({ code, message }) => [code, message]);
    expect(told).toEqual([
      [
        'core/foreign-op',
        'Frobnicate Frobnicate_a: the operator is not known, and whether it means the same in operator set 21 as in 17 is not known.',
      ],
      // Where is foreign only because of what Frobnicate gives, and so is told with it.
    ]);
    expect(sink.files.size).toBe(0);
  });

  it('are carried over where they mean the same', async () => {
    const sink = new MemorySink();
    await convert({
      from: onnx,
      to: onnx,
      source: await sourceOfModel(unknown),
      sink,
      options: { opset: 17 },
    });
    const again = await openModel(memorySource('model.onnx', sink.files), onnx);
    const attributes = [...again.graph.nodes].map(
      ({ attrs }) =>
        attrs as { readonly type?: string; readonly attributes?: { readonly attributes: unknown } },
    );
    expect(attributes.map(({ type, attributes }) => [type, attributes?.attributes])).toEqual([
      ['Frobnicate', [{ name: 'speed', type: 2, value: '3' }]],
      ['Where', []],
      ['acme.Widget', [{ name: 'size', type: 1, value: 0.5 }]],
      ['Det', []],
    ]);
  });

  it('a stray attribute is a warning, told once', async () => {
    const report = new Report();
    await openModel(
      await sourceOfModel(
        modelOf(graph([node('Relu', ['x'], ['y'], { speed: 3, colour: 'red' })])),
      ),
      onnx,
      { report },
    );
    expect(
      report.diagnostics.map(({ code, severity, message }) => [code, severity, message]),
    ).toEqual([
      [
        'core/attribute-ignored',
        'warning',
        'Relu Relu_y: it sets speed, colour, which nothing reads.',
      ],
    ]);
  });
});
