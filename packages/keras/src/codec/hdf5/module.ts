/** What libhdf5 says of the type and the shape of a dataset or an attribute. */
export interface Hdf5Description {
  /** `H5T_class_t`. */
  readonly type: number;
  /** Bytes of an element. */
  readonly size: number;
  readonly signed: boolean;
  readonly littleEndian: boolean;
  /** Whether elements are strings of any length. */
  readonly vlen: boolean;
  /** null: there is no element at all, not even a scalar. */
  readonly shape: readonly number[] | null;
  readonly total_size: number;
  /** Of datasets: the shape of a chunk, where they are stored in chunks. */
  readonly chunks?: readonly number[] | null;
  readonly enum_type?: { readonly members: Readonly<Record<string, number>> };
  readonly compound_type?: {
    readonly members: readonly (Pick<Hdf5Description, 'type' | 'size'> & {
      readonly name: string;
      readonly offset: number;
    })[];
  };
  /** Of datasets that are put together from others, in this file or another one. */
  readonly virtual_sources?: readonly unknown[];
}

/** `H5T_class_t`, as far as Keras writes it. */
export const hdf5Class = {
  integer: 0,
  float: 1,
  string: 3,
  opaque: 5,
  compound: 6,
  enum: 8,
} as const;

/** What `get_type` says of an object. */
export const hdf5Object = { group: 0, dataset: 1 } as const;

/**
 * The part of h5wasm's module that is used here. Its functions take paths; those of a C library
 * take numbers of 64 bits for pointers.
 * @see https://github.com/usnistgov/h5wasm/blob/main/src/hdf5_util.cc
 */
export interface Hdf5Module {
  readonly FS: object;
  readonly HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  UTF8ToString(pointer: number): string;
  /** The number of an open file; negative where it cannot be opened. */
  open(path: string, mode: number, trackOrder: boolean, low: number, high: number): bigint;
  close_file(file: bigint): number;
  /** Names of the links of a group, in the order of their creation where the file tells it. */
  get_names(file: bigint, path: string, recursive: boolean): readonly string[];
  get_type(file: bigint, path: string): number;
  get_symbolic_link(file: bigint, path: string): string | null;
  get_external_link(file: bigint, path: string): { readonly filename?: string };
  /** Where the header of an object is: eight bytes that tell it from others. */
  create_object_reference(file: bigint, path: string): readonly number[];
  get_attribute_names(file: bigint, path: string): readonly string[];
  get_attribute_metadata(file: bigint, path: string, name: string): Hdf5Description;
  get_attribute_data(file: bigint, path: string, name: string, pointer: bigint): number;
  reclaim_vlen_memory(file: bigint, path: string, name: string, pointer: bigint): number;
  get_dataset_metadata(file: bigint, path: string): Hdf5Description;
  get_dataset_filters(
    file: bigint,
    path: string,
  ): readonly { readonly id: number; readonly name: string }[];
  get_dataset_data(
    file: bigint,
    path: string,
    count: readonly bigint[] | null,
    offset: readonly bigint[] | null,
    strides: readonly bigint[] | null,
    pointer: bigint,
  ): number;
}
