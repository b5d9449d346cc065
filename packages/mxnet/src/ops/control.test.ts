import {
  evaluate,
  memorySource,
  MemorySink,
  parseGraph,
  tensor,
  toNumbers,
  type DroverError,
  type Tensor,
  openModel,
  writeModel,
  Model,
} from '@drover/core';
import { readSymbol } from '../codec/decode-symbol.js';
import { mxnet } from '../format.js';

async function written(text: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const model = new Model(parseGraph(text));
  const sink = new MemorySink();
  await writeModel(model, { to: mxnet, sink, path: 'm-symbol.json' });
  return sink.files;
}

/** The one loop of a written graph, and what the graph gives when it is read again. */
async function carried(text: string, ...inputs: readonly Tensor[]) {
  const source = memorySource('m-symbol.json', await written(text));
  const loops = (await readSymbol(source)).graph.nodes.filter(({ op }) => op === '_foreach');
  const again = await openModel(source, mxnet);
  const results = [...(await evaluate(again.graph, inputs)).values()].map((result) => [
    ...toNumbers(result),
  ]);
  return { loops, results };
}

const float = (shape: readonly number[], ...values: readonly number[]) =>
  tensor('float32', shape, values);

const reason = (text: string) =>
  written(text).catch((error: unknown) =>
    (error as DroverError).diagnostics.map(({ message }) => message),
  );

const sums = (steps: number | 'n') => `graph main(x: float32[${steps}, 2], w: float32[2]) {
  zeros: float32[2] = constant [0, 0]
  end: float32[2], all: float32[${steps}, 2] = Scan(zeros, x) {"states":1,"inputAxes":[0],"inputReverse":[false],"outputAxes":[0],"outputReverse":[false]}
    body [w] graph body(a: float32[2], e: float32[2], v: float32[2]) {
      product: float32[2] = Mul(e, v)
      sum: float32[2] = Add(a, product)
      return sum, each = sum
    }
  return end, all
}
`;

describe('loops', () => {
  it('over a dimension of any size are _foreach, whose variables are counted depth first', async () => {
    const { loops, results } = await carried(
      sums('n'),
      float([2, 2], 1, 2, 3, 4),
      float([2], 1, 10),
    );
    const [{ attrs, subgraphs, inputs }] = loops as [(typeof loops)[0]];
    // sum = a + e * v: first a, then e and v.
    expect(subgraphs[0]!.nodes.map(({ op }) => op)).toEqual([
      null,
      null,
      null,
      'elemwise_mul',
      'elemwise_add',
      '_copy',
    ]);
    expect(Object.fromEntries(attrs)).toEqual({
      num_args: '4',
      num_outputs: '2',
      num_out_data: '1',
      in_data_locs: '(1,)',
      in_state_locs: '(0,)',
      remain_locs: '(2,)',
    });
    expect(inputs).toHaveLength(3);
    expect(results).toEqual([
      [4, 60],
      [1, 20, 4, 60],
    ]);
  });

  it('of a few steps are written out, and of many are not', async () => {
    const ones = (steps: number) => float([steps, 2], ...new Array<number>(2 * steps).fill(1));
    const few = await carried(sums(64), ones(64), float([2], 1, 2));
    expect(few.loops).toEqual([]);
    expect(few.results[0]).toEqual([64, 128]);
    const many = await carried(sums(65), ones(65), float([2], 1, 2));
    expect(many.loops).toHaveLength(1);
    expect(many.results[0]).toEqual([65, 130]);
  });

  it('use what MXNet wants used: states and sequences that the body does not read', async () => {
    const text = `graph main(x: float32[n, 2], z: int64[n, 3], a: float32[2]) {
  end: float32[2], all: float32[n, 2] = Scan(a, x, z) {"states":1,"inputAxes":[0,0],"inputReverse":[false,false],"outputAxes":[0],"outputReverse":[false]}
    body [] graph body(c: float32[2], e: float32[2], f: int64[3]) {
      minus: float32[2] = Neg(e)
      return minus, each = e
    }
  return end, all
}
`;
    const { loops, results } = await carried(
      text,
      float([2, 2], 1, -Infinity, 3, 4),
      tensor('int64', [2, 3], [0, 0, 0, 0, 0, 0]),
      float([2], 0, 0),
    );
    const variables = loops[0]!.subgraphs[0]!.nodes.filter(({ op }) => op === null);
    expect(variables).toHaveLength(3);
    expect(results).toEqual([
      [-3, -4],
      [1, -Infinity, 3, 4],
    ]);
  });

  it('that carry what grows are refused, and so are those whose end depends on data', async () => {
    const growing = `graph main(x: float32[n, 2], a: float32[k, 2]) {
  end: float32[m, 2] = Scan(a, x) {"states":1,"inputAxes":[0],"inputReverse":[false],"outputAxes":[],"outputReverse":[]}
    body [] graph body(c: float32[l, 2], e: float32[2]) {
      row: float32[1, 2] = Unsqueeze(e) {"axes":[0]}
      more: float32[l+1, 2] = Concat(c, row) {"axis":0}
      return more
    }
  return end
}
`;
    const ending = `graph main(x: float32[2], t: int64[1]) {
  trips: int64[] = Reshape(t) {"shape":[]}
  goes: bool[] = constant [true]
  end: float32[2] = Loop(trips, _, x) {"carried":1}
    body [] graph body(trip: int64[], go: bool[], a: float32[2]) {
      more: float32[2] = Exp(a)
      return goes, more
    }
  return end
}
`;
    expect(await reason(growing)).toEqual([
      expect.stringContaining('what it carries changes its shape'),
    ]);
    expect(await reason(ending)).toEqual([
      expect.stringContaining('the number of its trips depends on data'),
    ]);
  });

  it('tell once what is in the way, where it is', async () => {
    const text = `graph main(x: int64[n, 2], a: int64[2]) {
  end: int64[2] = Scan(a, x) {"states":1,"inputAxes":[0],"inputReverse":[false],"outputAxes":[],"outputReverse":[]}
    body [] graph body(c: int64[2], e: int64[2]) {
      bits: int64[2] = BitwiseAnd(c, e)
      more: int64[2] = Add(bits, e)
      return more
    }
  y: int64[2] = Neg(end)
  return y
}
`;
    expect(await reason(text)).toEqual([
      'BitwiseAnd bits: MXNet 1.9 has no operators on bits of its legacy arrays.',
    ]);
  });
});
