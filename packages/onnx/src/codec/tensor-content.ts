import {
  ByteHandle,
  bytesOf,
  coreDiagnostics,
  type DroverError,
  type DType,
  type Report,
  type Source,
} from '@drover/core';
import { protobufDiagnostics, type Int64 } from '@drover/protobuf';
import { onnxDiagnostics } from '../diagnostics.js';
import { DataLocation, type SparseTensorProto, type TensorProto } from '../schema/onnx.js';
import { dataTypeOf, dtypeOf } from './data-type.js';
import { externalLocation, handleOf, quoted } from './external-data.js';
import { defaultLimits, limitError, type Limits } from './limits.js';
import { scatter, sparseLayout } from './sparse-tensor.js';
import {
  bytesOfNumbers,
  numberField,
  numbersOf,
  varintElements,
  type Fault,
  type NumberField,
} from './tensor-elements.js';

/**
 * A tensor of numbers: its elements in little-endian C order, 4- and 2-bit types packed with the
 * first element in the low bits.
 */
export interface NumericContent {
  readonly dtype: Exclude<DType, 'string'>;
  readonly shape: readonly number[];
  /** In memory where the file held it in at most 1 KiB. */
  readonly data: ByteHandle;
}

/** A tensor of strings. */
export interface StringContent {
  readonly dtype: 'string';
  readonly shape: readonly number[];
  readonly data: readonly string[];
}

/** What a TensorProto stands for, however it is stored. */
export type TensorContent = NumericContent | StringContent;

const maxRank = 64;
const numberFields: readonly NumberField[] = [
  'floatData',
  'doubleData',
  'int32Data',
  'int64Data',
  'uint64Data',
];

/** How {@link TensorReader} treats what it meets. */
export interface TensorReaderOptions {
  /** Takes what is worth a warning. */
  readonly report?: Report;
  readonly limits?: Partial<Pick<Limits, 'maxDenseBytes'>>;
  /**
   * The file that holds the external data, where the user names it: taken whichever location a
   * tensor gives.
   */
  readonly params?: Source | undefined;
}

/**
 * Opens the tensors of one file, whichever way each is stored: raw_data, a field of numbers,
 * strings, external data, sparse.
 */
export class TensorReader {
  readonly #files = new Map<string, Promise<Source>>();
  readonly #limits: Limits;

  /**
   * `source`: the file that the tensors were decoded from; external data is looked for beside it.
   */
  constructor(
    readonly source: Source,
    readonly options: TensorReaderOptions = {},
  ) {
    this.#limits = { ...defaultLimits, ...options.limits };
  }

  /** Element type and shape. Errors: `onnx/tensor-dtype`, `onnx/tensor-shape`. */
  type(tensor: TensorProto): { readonly dtype: DType; readonly shape: readonly number[] } {
    const dtype = dtypeOf(tensor.dataType ?? 0);
    if (dtype === undefined)
      throw this.#error(
        tensor,
        'tensor-dtype',
        `has the unknown data type ${tensor.dataType ?? 0}`,
      );
    return { dtype, shape: this.#shape(tensor, tensor.dims) };
  }

  /**
   * A tensor's content. Large elements are not read, but their size is checked: what holds more or
   * fewer bytes than type and shape say is `onnx/tensor-size`. Integers that were stored as varints
   * are checked when they are read. Other errors: `onnx/tensor-dtype`, `onnx/tensor-shape`,
   * `onnx/tensor-data`, and for external data `core/path`, `core/range`, `core/missing-file`,
   * `onnx/external-data`.
   */
  async open(tensor: TensorProto): Promise<TensorContent> {
    const { dtype, shape } = this.type(tensor);
    const count = shape.reduce((product, dim) => product * dim, 1);
    if (tensor.segment)
      throw this.#error(
        tensor,
        'tensor-data',
        'is a segment of a larger one, which no runtime reads',
      );
    const location = tensor.dataLocation ?? DataLocation.DEFAULT;
    if (location !== DataLocation.DEFAULT && location !== DataLocation.EXTERNAL) {
      throw this.#error(tensor, 'tensor-data', `has the unknown data location ${location}`);
    }
    const stored = (['rawData', 'stringData', ...numberFields] as const).filter(
      (field) => (tensor[field]?.length ?? 0) > 0,
    );
    const external = location === DataLocation.EXTERNAL;
    if (stored.length + (external ? 1 : 0) > 1)
      throw this.#error(tensor, 'tensor-data', 'stores its elements in more than one place');
    if (dtype === 'string') {
      if (external || stored[0] === 'rawData')
        throw this.#error(tensor, 'tensor-dtype', 'holds strings outside string_data');
      if (stored[0] !== undefined && stored[0] !== 'stringData')
        throw this.#error(tensor, 'tensor-data', 'holds strings as numbers');
      return { dtype, shape, data: this.#strings(tensor, count) };
    }
    return {
      dtype,
      shape,
      data: external
        ? await this.#external(tensor, dtype, count)
        : this.#inline(tensor, dtype, count, stored[0]),
    };
  }

  /**
   * The dense content of a sparse tensor, made when it is read. Errors as for
   * {@link TensorReader.open}; `onnx/tensor-data` for indices that are out of range or not
   * ascending (those when the content is read), and `core/limit` when the dense tensor is larger
   * than `maxDenseBytes`.
   */
  async openSparse(sparse: SparseTensorProto): Promise<TensorContent> {
    const { values = {}, indices = {} } = sparse;
    const fault = this.#fault(values);
    const shape = this.#shape(values, sparse.dims);
    const count = shape.reduce((product, dim) => product * dim, 1);
    const stored = await this.open(values);
    const size = stored.dtype === 'string' ? 8 * count : bytesOf(stored.dtype, count);
    if (size > this.#limits.maxDenseBytes) {
      throw limitError(
        'maxDenseBytes',
        this.#limits,
        `The sparse tensor ${quoted(values.name)} of ${size} bytes`,
        this.source.name,
      );
    }
    const places = await this.open(indices);
    const layout = sparseLayout(stored, places, shape, fault);
    if (stored.dtype === 'string') {
      const dense = new Array<string>(count).fill('');
      for (const [i, at] of (await layout.positions()).entries()) dense[at] = stored.data[i]!;
      return { dtype: 'string', shape, data: dense };
    }
    const { dtype, data } = stored;
    const fill = async function* () {
      yield scatter(dtype, count, await data.read(), await layout.positions());
    };
    return { dtype, shape, data: ByteHandle.computed(size, fill) };
  }

  #shape(tensor: TensorProto, dims: readonly Int64[] = []): readonly number[] {
    const fault = (why: string) =>
      this.#error(
        tensor,
        'tensor-shape',
        `has the shape [${dims.slice(0, 8).join(', ')}${dims.length > 8 ? ', …' : ''}], ${why}`,
      );
    if (dims.length > maxRank) throw fault(`of more than ${maxRank} dimensions`);
    let count = 1;
    for (const dim of dims) {
      if (dim < 0) throw fault('which is negative');
      if (typeof dim === 'bigint') throw fault('which is too large');
      count *= dim || 1;
      // Sixteen bytes at most for an element, so that byte counts are exact as well.
      if (count > 2 ** 49) throw fault('which has too many elements');
    }
    return dims as readonly number[];
  }

  #strings(tensor: TensorProto, count: number): readonly string[] {
    const values = tensor.stringData ?? [];
    if (values.length !== count)
      throw this.#error(
        tensor,
        'tensor-size',
        `holds ${values.length} strings instead of ${count}`,
      );
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    return values.map((bytes, i) => {
      try {
        return text.decode(bytes);
      } catch {
        throw this.#error(tensor, 'tensor-data', `holds a string that is not UTF-8, element ${i}`);
      }
    });
  }

  #inline(
    tensor: TensorProto,
    dtype: DType,
    count: number,
    field: 'rawData' | 'stringData' | NumberField | undefined,
  ): ByteHandle {
    const size = bytesOf(dtype, count);
    if (field === undefined) {
      this.#checkSize(tensor, 0, size);
      return ByteHandle.of(new Uint8Array(0));
    }
    if (field === 'rawData') {
      this.#checkSize(tensor, tensor.rawData!.length, size);
      return handleOf(tensor.rawData!);
    }
    const wanted = numberField(dtype);
    if (field !== wanted)
      throw this.#error(tensor, 'tensor-data', `holds ${dtype} in ${field} instead of ${wanted}`);
    if (wanted === 'floatData' || wanted === 'doubleData') {
      const values = tensor[wanted]!;
      if (values instanceof ByteHandle) {
        this.#checkSize(tensor, values.length, size);
        return values;
      }
      const array = ArrayBuffer.isView(values)
        ? values
        : wanted === 'floatData'
          ? Float32Array.from(values)
          : Float64Array.from(values);
      this.#checkSize(tensor, array.byteLength, size);
      return ByteHandle.of(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
    }
    const values = tensor[wanted]!;
    const fault = this.#fault(tensor);
    const numbers = numbersOf(dtype, count);
    // Before anything is allocated: a varint has one to ten bytes.
    if (
      values instanceof ByteHandle
        ? values.length < numbers || values.length > 10 * numbers
        : values.length !== numbers
    ) {
      throw fault(
        'tensor-size',
        `holds ${values.length} ${values instanceof ByteHandle ? 'bytes of ' : ''}numbers instead of ${numbers}`,
      );
    }
    return values instanceof ByteHandle
      ? values.decoded(varintElements(dtype, count, fault), size)
      : ByteHandle.of(bytesOfNumbers(dtype, values, fault));
  }

  async #external(tensor: TensorProto, dtype: DType, count: number): Promise<ByteHandle> {
    const { path, offset, length } = externalLocation(
      tensor,
      this.source.name,
      this.options.report,
    );
    const size = bytesOf(dtype, count);
    if (length !== undefined) this.#checkSize(tensor, length, size);
    const file = this.options.params ?? (await this.#sibling(path));
    if (offset + size > file.size) {
      const message = `Tensor ${quoted(tensor.name)} needs ${size} bytes at ${offset} of ${file.name}, which has ${file.size}.`;
      throw coreDiagnostics.error('range', { message, origin: { file: file.name, offset } });
    }
    return ByteHandle.range(file, offset, size);
  }

  #sibling(path: string): Promise<Source> {
    let opening = this.#files.get(path);
    if (!opening) this.#files.set(path, (opening = this.source.sibling(path)));
    return opening;
  }

  #checkSize(tensor: TensorProto, got: number, wanted: number): void {
    if (got !== wanted)
      throw this.#error(tensor, 'tensor-size', `holds ${got} bytes instead of ${wanted}`);
  }

  #fault(tensor: TensorProto): Fault {
    return (kind, why) => this.#error(tensor, kind, why);
  }

  #error(
    tensor: TensorProto,
    kind: 'tensor-dtype' | 'tensor-shape' | 'tensor-size' | 'tensor-data',
    why: string,
  ): DroverError {
    const { offset } = tensor.rawData instanceof ByteHandle ? tensor.rawData.origin : {};
    return onnxDiagnostics.error(kind, {
      message: `Tensor ${quoted(tensor.name)} ${why}.`,
      origin: { file: this.source.name, ...(offset !== undefined && { offset }) },
    });
  }
}

/**
 * A TensorProto for a content: numbers in raw_data, strings in string_data. Throws
 * `protobuf/unencodable` for text that is not well-formed Unicode.
 */
export function tensorProto(name: string, content: TensorContent): TensorProto {
  const { dtype, shape } = content;
  const tensor: TensorProto = {
    ...(shape.length > 0 && { dims: shape }),
    dataType: dataTypeOf(dtype),
    name,
  };
  if (dtype !== 'string') return { ...tensor, rawData: content.data };
  const text = new TextEncoder();
  const stringData = content.data.map((value) => {
    if (!/\p{Surrogate}/u.test(value)) return text.encode(value);
    throw protobufDiagnostics.error('unencodable', {
      message: `Tensor ${quoted(name)} holds ${quoted(value)}, which is not well-formed Unicode.`,
      origin: { file: '' },
    });
  });
  return { ...tensor, ...(stringData.length > 0 && { stringData }) };
}
