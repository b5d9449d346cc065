import { convert, memorySource, type Sink, type Source } from '@drover/core';
import { onnx } from '@drover/onnx';
import { DataLocation, DataType } from '@drover/onnx/codec';
import { tfjs } from '@drover/tfjs';
import { bytesOfModel, info, modelOf, node } from './small-model.js';
import { writers } from './subjects.js';

const shape = [5, 1024, 2 ** 18];
const length = 5 * 2 ** 30;
const period = 251;
const pattern = Uint8Array.from({ length: 2 ** 24 }, (_, i) => i % period);

/** A model that multiplies its input by a tensor of 5 GiB, which exists only where it is read. */
async function largeModel() {
  const externalData = [{ key: 'location', value: 'w.bin' }];
  const external = { dataLocation: DataLocation.EXTERNAL, externalData };
  const bytes = await bytesOfModel(
    modelOf({
      node: [node('Mul', ['x', 'w'], ['y'])],
      input: [info('x', 'float32', shape)],
      output: [info('y', 'float32', shape)],
      initializer: [{ name: 'w', dataType: DataType.FLOAT, dims: shape, ...external }],
    }),
  );
  const reads: number[] = [];
  const weights: Source = {
    ...memorySource('w.bin', new Map([['w.bin', new Uint8Array(0)]])),
    size: length,
    read: async ({ offset, length } = { offset: 0, length: 0 }) => {
      reads.push(length);
      return pattern.subarray(offset % period, (offset % period) + length);
    },
  };
  const model = memorySource('model.onnx', new Map([['model.onnx', bytes]]));
  return { source: { ...model, sibling: async () => weights }, reads };
}

/** Takes files and keeps of them what it checks: how long they are, and that the bytes go on. */
class CountingSink implements Sink {
  readonly sizes = new Map<string, number>();
  longest = 0;
  #last = -1;

  async create(path: string) {
    this.sizes.set(path, 0);
    return {
      write: async (bytes: Uint8Array) => {
        this.sizes.set(path, this.sizes.get(path)! + bytes.length);
        this.longest = Math.max(this.longest, bytes.length);
        if (bytes.length < 2 ** 20) return;
        // The tensor begins with 0, and each piece goes on where the one before it ended.
        if (bytes[0] !== (this.#last + 1) % period) throw new TypeError('bytes are lost');
        this.#last = bytes.at(-1)!;
      },
      close: async () => {},
    };
  }

  async commit() {}
  async abort() {}

  get total(): number {
    return [...this.sizes.values()].reduce((sum, size) => sum + size, 0);
  }
}

describe('a tensor that no array holds is written in pieces', () => {
  test.each(writers)('by %s', async (_, { format: to }) => {
    const { source, reads } = await largeModel();
    const sink = new CountingSink();
    await convert({ from: onnx, to, source, sink });
    expect(Math.max(...reads)).toBeLessThanOrEqual(4 * 2 ** 20);
    expect(reads.reduce((sum, each) => sum + each, 0)).toBe(length);
    expect(sink.longest).toBeLessThanOrEqual(4 * 2 ** 20);
    expect(sink.total).toBeGreaterThan(length);
    expect(sink.total - length).toBeLessThan(10_000 + 40 * sink.sizes.size);
    // The main file comes last, so that a model that is there is whole.
    expect([...sink.sizes.keys()].at(-1)).toBe(to.fileNames.usual);
    if (to === tfjs) expect(sink.sizes.size).toBe(length / (4 * 2 ** 20) + 1);
  });
});
