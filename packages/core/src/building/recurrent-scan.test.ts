import { evaluate } from '../evaluate/evaluate.js';
import { Graph } from '../graph/graph.js';
import { verify } from '../graph/verify.js';
import { ops } from '../ops/ops.js';
import { runPass } from '../passes/define-pass.js';
import { lower } from '../passes/lower.js';
import { symbol, type Shape } from '../tensor/dim.js';
import { tensor, type Tensor } from '../tensor/tensor.js';
import { Weight } from '../tensor/weight.js';

const values = (count: number, scale: number) =>
  Array.from({ length: count }, (_, i) => (((i * 37) % 19) - 9) * scale);
const filled = (shape: readonly number[], scale: number): Tensor =>
  tensor(
    'float64',
    shape,
    values(
      shape.reduce((a, b) => a * b, 1),
      scale,
    ),
  );
const [time, batch, features, size] = [4, 3, 2, 3];

const shapes: readonly (readonly [string, Shape | undefined])[] = [
  ['known', [time, batch, features]],
  ['named', [symbol('t'), symbol('n'), features]],
  ['data-dependent', [symbol('?t'), symbol('?n'), features]],
  ['unknown', undefined],
];

describe.each(shapes)('x of %s sizes', (_, shape) => {
  describe.each(['constant', 'input'])('parameters as %s', (kind) => {
    test.each([
      ['LSTM', 4, 3, { inputForget: false }],
      ['GRU', 3, 2, { linearBeforeReset: true }],
      ['GRU', 3, 2, { linearBeforeReset: false }],
      ['RNN', 1, 1, {}],
    ] as const)(
      '%s lowered to Scan and to Loop computes the same, with and without lengths',
      async (name, gates, functions, extra) => {
        for (const lengths of [undefined, [4, 1, 3]]) {
          const build = () => {
            const graph = new Graph();
            const given: Tensor[] = [];
            const input = (
              label: string,
              each: Tensor,
              declared: Shape | undefined = each.shape,
            ) => (given.push(each), graph.input(label, each.dtype, declared));
            const parameter = (label: string, each: Tensor) =>
              kind === 'input' ? input(label, each) : graph.constant(Weight.from(each), label);
            const operands = {
              x: input('x', filled([time, batch, features], 0.1), shape),
              w: parameter('w', filled([2, gates * size, features], 0.07)),
              r: parameter('r', filled([2, gates * size, size], 0.05)),
              b: parameter('b', filled([2, 2 * gates * size], 0.03)),
              ...(lengths && {
                sequenceLengths: input('lengths', tensor('int32', [batch], lengths)),
              }),
              ...(name === 'LSTM' && { peepholes: parameter('p', filled([2, 3 * size], 0.02)) }),
            };
            const activations = Array.from({ length: 2 * functions }, () => 'Tanh' as const);
            const attrs = {
              hiddenSize: size,
              direction: 'bidirectional',
              activations,
              activationAlpha: [],
              activationBeta: [],
              clip: 0.75,
              ...extra,
            };
            const { y, yH } = graph.add(ops[name], operands as never, attrs as never) as {
              y: typeof operands.x;
              yH: typeof operands.x;
            };
            graph.output('y', y);
            graph.output('yH', yH);
            return { graph, given };
          };
          const whole = build();
          const expected = await evaluate(whole.graph, whole.given);
          for (const kept of ['Scan', 'none']) {
            const { graph, given } = build();
            await runPass(lower, graph, { keep: (node) => node.op.name === kept });
            verify(graph);
            const results = await evaluate(graph, given);
            for (const [output, result] of expected) {
              const made = results.get(output)!;
              expect(made.shape).toEqual(result.shape);
              const furthest = Math.max(
                ...Array.from(made.data as Float64Array, (value, i) =>
                  Math.abs(value - (result.data as Float64Array)[i]!),
                ),
              );
              expect(furthest).toBeLessThan(1e-14);
            }
          }
        }
      },
    );
  });
});
