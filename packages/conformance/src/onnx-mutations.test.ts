import { DroverError, openModel, writeModel, memorySource, MemorySink } from '@drover/core';
import { onnx } from '@drover/onnx';
import {
  decodeModel,
  type AttributeProto,
  type GraphProto,
  type ModelProto,
  type NodeProto,
} from '@drover/onnx/codec';
import { Xoshiro128 } from '@drover/parity';
import { countWork } from './count-work.js';
import { vectorFamilies } from './op-vectors.js';
import { sourceOfModel } from './small-model.js';

/** Numbers that break assumptions: extremes, signs, fractions of nothing. */
const numbers = [
  0,
  -1,
  1,
  2,
  7,
  -7,
  64,
  2 ** 31,
  -(2 ** 31),
  2 ** 40,
  2 ** 53,
  -(2n ** 63n),
  2n ** 63n - 1n,
];

/** One change to a model: of an attribute, an operand, a dimension, or a type. */
class Mutator {
  constructor(readonly random: Xoshiro128) {}

  #pick<T>(from: readonly T[]): T {
    return from[this.random.integer(from.length)]!;
  }

  #attribute(attribute: AttributeProto): AttributeProto {
    const { name, ints, i, f } = attribute;
    if (ints)
      return {
        ...attribute,
        ints:
          this.random.integer(2) === 0
            ? ints.slice(1)
            : ints.map((each) => (this.random.integer(2) === 0 ? this.#pick(numbers) : each)),
      };
    if (i !== undefined) return { ...attribute, i: this.#pick(numbers) };
    if (f !== undefined)
      return { ...attribute, f: this.#pick([NaN, Infinity, -Infinity, 0, -1, 1e30]) };
    return this.random.integer(2) === 0
      ? { name: name! }
      : { name: name!, type: 2, i: this.#pick(numbers) };
  }

  #node(node: NodeProto): NodeProto {
    const attributes = node.attribute ?? [];
    const kind = this.random.integer(6);
    if (kind === 0 && attributes.length > 0) return { ...node, attribute: attributes.slice(1) };
    if (kind <= 2 && attributes.length > 0) {
      const at = this.random.integer(attributes.length);
      return {
        ...node,
        attribute: attributes.map((each, i) => (i === at ? this.#attribute(each) : each)),
      };
    }
    if (kind === 3) return { ...node, input: (node.input ?? []).slice(0, -1) };
    if (kind === 4) return { ...node, input: (node.input ?? []).toReversed() };
    return {
      ...node,
      input: (node.input ?? []).map((name) => (this.random.integer(2) === 0 ? '' : name)),
    };
  }

  #graph(graph: GraphProto): GraphProto {
    const kind = this.random.integer(5);
    if (kind === 0) {
      const input = (graph.input ?? []).map((each) => {
        const { tensorType } = each.type ?? {};
        if (!tensorType || this.random.integer(2) === 0) return each;
        const dim = tensorType.shape?.dim
          ?.slice(this.random.integer(2))
          .map((size) => (this.random.integer(2) === 0 ? { dimValue: this.#pick(numbers) } : size));
        return {
          ...each,
          type: {
            tensorType: {
              ...tensorType,
              ...(this.random.integer(3) === 0 ? {} : { shape: { dim: dim ?? [] } }),
            },
          },
        };
      });
      return { ...graph, input };
    }
    if (kind === 1)
      return {
        ...graph,
        input: (graph.input ?? []).map((each) => ({
          ...each,
          type: {
            tensorType: {
              ...each.type?.tensorType,
              elemType: this.#pick([1, 2, 6, 7, 8, 9, 10, 11, 14]),
            },
          },
        })),
      };
    const nodes = graph.node ?? [];
    const at = this.random.integer(Math.max(1, nodes.length));
    return { ...graph, node: nodes.map((node, i) => (i === at ? this.#node(node) : node)) };
  }

  model(model: ModelProto): ModelProto {
    return { ...model, graph: this.#graph(model.graph!) };
  }
}

const rounds = 20;

/** Steps that a model of a few nodes may take; those of these families take up to 70,000. */
const maxSteps = 1_000_000;

describe.each(vectorFamilies<{ readonly onnx: string }>('onnx'))('%s', (family, cases) => {
  it('mutated models are read and planned, or end in a typed error', async () => {
    const mutator = new Mutator(Xoshiro128.seeded(family.length * 7919 + cases.length));
    let refused = 0;
    for (const { name, model } of cases) {
      const bytes = new Uint8Array(Buffer.from(model.onnx, 'base64'));
      const proto = await decodeModel(memorySource('m.onnx', new Map([['m.onnx', bytes]])));
      for (let round = 0; round < rounds; round++) {
        const mutated = mutator.model(proto);
        const outcome: { error?: unknown } = {};
        const steps = await countWork(async () => {
          try {
            const source = await sourceOfModel(mutated);
            const read = await openModel(source, onnx);
            await writeModel(read, { to: onnx, sink: new MemorySink(), path: 'm.onnx' });
          } catch (error) {
            outcome.error = error;
          }
        });
        const { error } = outcome;
        if (error !== undefined) {
          refused++;
          if (!(error instanceof DroverError))
            throw new Error(
              `${name}, round ${round}: ${String((error as Error).stack)}\n${JSON.stringify(mutated.graph, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)).slice(0, 2000)}`,
            );
        }
        expect([name, round, steps < maxSteps]).toEqual([name, round, true]);
      }
    }
    expect(refused).toBeGreaterThan(0);
  }, 120_000);
});
