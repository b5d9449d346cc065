import { execFileSync } from 'node:child_process';
import { dtypes, type DType, type Format } from '@drover/core';
import { allFormats } from './subjects.js';

/** The frameworks by the variables that name a Python with each. */
const pythons = {
  torch: 'DROVER_TORCH_PYTHON',
  keras2: 'DROVER_TENSORFLOW_PYTHON',
  keras3: 'DROVER_KERAS3_PYTHON',
  mxnet: 'DROVER_MXNET_PYTHON',
} as const;

/** Name of a Python that has a framework. */
export type Python = keyof typeof pythons;

/** A tensor as a framework has it: base64 of its elements, texts one by one. */
interface TensorFact {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: string | readonly string[];
}

/** The tensors of a checkpoint by name. */
export type TensorFacts = Readonly<Record<string, TensorFact>>;

/** A checkpoint that a framework saved. */
export interface Saved {
  /** The framework and its version. */
  readonly by: string;
  readonly file: string;
  readonly tensors: TensorFacts;
}

/** What a framework has after loading a file, or why it does not. */
export type Loaded =
  { readonly by: string; readonly tensors: TensorFacts } | { readonly error: string };

const script = new URL('./checkpoint-frameworks.py', import.meta.url).pathname;

/** What the script answers, run in the Python of a framework. */
function run<T>(python: Python, ...args: readonly string[]): T {
  const printed = execFileSync(process.env[pythons[python]]!, [script, ...args], {
    maxBuffer: 2 ** 30,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return JSON.parse(printed.toString()) as T;
}

/** Has a framework save checkpoints into a folder, in some ways. */
export const savedBy = (
  python: Python,
  folder: string,
  ways: readonly string[],
): Readonly<Record<string, Saved>> => run(python, 'save', folder, ...ways);

/** Has a framework load files: pairs of a loader and a path. */
export const loadedBy = (
  python: Python,
  files: readonly (readonly [loader: string, path: string])[],
): readonly Loaded[] => run(python, 'load', ...files.map((each) => each.join('=')));

/** A kind of file that checkpoints are written to, and what loads it. */
export interface CheckpointForm {
  readonly title: string;
  readonly format: Format;
  readonly path: string;
  readonly options?: Readonly<Record<string, number>>;
  readonly python: Python;
  /** As the script knows it. */
  readonly loader: string;
  /** What the loader calls. */
  readonly call: string;
  /** The types that the framework, or its files, have. */
  readonly holds: readonly DType[];
  /** Whether a loader gives a tensor of several names under each of them. */
  readonly hasEachName: boolean;
  /** Whether a scalar becomes a list of one element, which the writer tells. */
  readonly listsScalars?: boolean;
  /** The ways in which the framework saves checkpoints, with their titles. */
  readonly ways: Readonly<Record<string, string>>;
  /** How names of the framework become plain ones, where they are more than those. */
  readonly rename?: ReadonlyMap<string, string>;
}

const integers = [
  ...['int64', 'int32', 'int16', 'int8', 'uint64', 'uint32', 'uint16', 'uint8'],
] as const satisfies readonly DType[];
const plain = ['float64', 'float32', 'float16', ...integers, 'bool'] as const;
const complex = ['complex64', 'complex128'] as const;
const float8 = [
  ...['float8e4m3fn', 'float8e4m3fnuz', 'float8e5m2', 'float8e5m2fnuz', 'float8e8m0fnu'],
] as const satisfies readonly DType[];

/** A form of the list, with its format by id. */
type ListedForm = Omit<CheckpointForm, 'format'> & { readonly format: string };

const keras = {
  format: 'keras',
  loader: 'keras',
  call: 'model.load_weights',
  hasEachName: false,
} as const;

const listed: readonly ListedForm[] = [
  {
    title: 'PyTorch',
    format: 'pytorch',
    path: 'model.pt',
    python: 'torch',
    loader: 'torch',
    call: 'torch.load(weights_only=True, mmap=True)',
    holds: [...plain, 'bfloat16', ...float8, ...complex],
    hasEachName: true,
    ways: { torch: 'torch.save', 'torch-legacy': 'torch.save, as before 1.6' },
    rename: new Map([['state_dict.*', '*']]),
  },
  {
    title: 'safetensors',
    format: 'safetensors',
    path: 'model.safetensors',
    python: 'torch',
    loader: 'safetensors',
    call: 'safetensors.torch.load_file',
    holds: [...plain, 'bfloat16', ...float8, 'float4e2m1fn', 'complex64'],
    hasEachName: false,
    ways: { safetensors: 'save_file' },
  },
  {
    title: 'TensorFlow',
    format: 'tensorflow',
    path: 'model.index',
    python: 'keras3',
    loader: 'tensorflow',
    call: 'tf.train.load_checkpoint',
    holds: dtypes.filter((dtype) => dtype !== 'float8e8m0fnu'),
    hasEachName: true,
    ways: { tensorflow: 'tf.train.Checkpoint' },
    rename: new Map([['*/.ATTRIBUTES/VARIABLE_VALUE', '*']]),
  },
  {
    ...keras,
    title: 'Keras 3 .weights.h5',
    path: 'model.weights.h5',
    python: 'keras3',
    holds: [...plain, 'bfloat16', ...complex],
    ways: { 'keras-weights': 'save_weights, .weights.h5', keras: 'save, .keras' },
  },
  {
    ...keras,
    title: 'Keras 2 .weights.h5',
    path: 'model.weights.h5',
    options: { kerasVersion: 2 },
    python: 'keras2',
    holds: [...plain, ...complex],
    ways: { 'keras-weights': 'save_weights, .weights.h5', keras: 'save, .keras' },
  },
  {
    ...keras,
    title: 'Keras 2 .h5',
    path: 'model.h5',
    call: 'model.load_weights(by_name=True)',
    options: { kerasVersion: 2 },
    python: 'keras2',
    holds: [...plain, ...complex],
    ways: { 'keras-h5': 'save_weights, .h5' },
  },
  {
    title: 'MXNet',
    format: 'mxnet',
    path: 'model.params',
    python: 'mxnet',
    loader: 'mxnet',
    call: 'mx.nd.load',
    holds: ['float64', 'float32', 'float16', 'bfloat16', 'int64', 'int32', 'int8', 'uint8', 'bool'],
    hasEachName: true,
    listsScalars: true,
    ways: { mxnet: 'mx.nd.save', 'mxnet-shapes': 'mx.nd.save, shapes of NumPy' },
    rename: new Map([['arg:*', '*']]),
  },
  {
    title: 'NumPy',
    format: 'numpy',
    path: 'model.npz',
    python: 'torch',
    loader: 'numpy',
    call: 'np.load',
    holds: [...plain, 'bfloat16', ...complex, 'string'],
    hasEachName: true,
    ways: { numpy: 'np.savez' },
  },
];

/** Every form of a format that writes checkpoints. */
export const checkpointForms: readonly CheckpointForm[] = listed.flatMap((form) => {
  const format = allFormats.find(({ id }) => id === form.format);
  return format?.checkpoint?.write ? [{ ...form, format }] : [];
});
