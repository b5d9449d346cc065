import { coreDiagnostics, dtypes, type Source } from '@drover/core';
import { readJson, type JsonCursor } from '@drover/core/format';
import { __name__Diagnostics } from '../diagnostics.js';
import {
  modelVersion,
  storedTypes,
  type FileInput,
  type FileOperator,
  type FileTensor,
  type ModelFile,
} from './model-file.js';

/** Bytes at the beginning of a file in which it says what it is. */
const headBytes = 256;

/** Whether a file begins as a model file does. */
export async function isModelFile(source: Source): Promise<boolean> {
  const head = await source.read({ offset: 0, length: Math.min(headBytes, source.size) });
  return /^\s*\{\s*"format"\s*:\s*"__name__"/.test(new TextDecoder().decode(head));
}

const listOf = <T>(json: JsonCursor, key: string, decode: (item: JsonCursor) => T): T[] =>
  (json.get(key)?.items() ?? []).map(decode);

const text = (json: JsonCursor): string => json.string();

function dtypeOf(json: JsonCursor) {
  const dtype = dtypes.find((each) => each === json.string());
  if (dtype === undefined || !storedTypes.has(dtype)) throw json.error('is not an element type');
  return dtype;
}

function decodeInput(json: JsonCursor): FileInput {
  const size = (dim: JsonCursor) => (typeof dim.value === 'string' ? dim.string() : dim.integer(0));
  return {
    name: json.require('name').string(),
    dtype: dtypeOf(json.require('dtype')),
    shape: json.get('shape')?.items().map(size),
  };
}

const decodeTensor = (json: JsonCursor): FileTensor => ({
  name: json.require('name').string(),
  dtype: dtypeOf(json.require('dtype')),
  shape: json
    .require('shape')
    .items()
    .map((dim) => dim.integer(0)),
  offset: json.require('offset').integer(0),
});

const decodeOperator = (json: JsonCursor): FileOperator => ({
  type: json.require('type').string(),
  name: json.require('name').string(),
  inputs: listOf(json, 'inputs', text),
  outputs: listOf(json, 'outputs', text),
  attributes: new Map(
    (json.get('attributes')?.members() ?? []).map(([name, { value }]) => [name, value]),
  ),
});

/** Values have one maker each, and callers know outputs by their names. */
function checkNames({ inputs, tensors, operators, outputs }: ModelFile, file: string): void {
  const made = [...inputs, ...tensors].map(({ name }) => name);
  const values = [...made, ...operators.flatMap((each) => each.outputs)];
  for (const names of [values, outputs.map(({ name }) => name)]) {
    const seen = new Set<string>();
    for (const name of names) {
      if (seen.has(name))
        throw coreDiagnostics.error('duplicate', {
          message: `${JSON.stringify(name)} is made twice.`,
          origin: { file, node: name },
        });
      seen.add(name);
    }
  }
}

/**
 * Reads what a model file says; its weights are not opened. Throws `core/json`, `core/limit`,
 * `core/duplicate` and `__name__/version`.
 */
export async function readModelFile(source: Source): Promise<ModelFile> {
  const json = await readJson(source);
  const version = json.require('version').integer();
  if (version !== modelVersion)
    throw __name__Diagnostics.error('version', {
      message: `${source.name} has version ${version}.`,
      origin: { file: source.name, pointer: '/version' },
    });
  const model: ModelFile = {
    inputs: listOf(json, 'inputs', decodeInput),
    tensors: listOf(json, 'tensors', decodeTensor),
    operators: listOf(json, 'operators', decodeOperator),
    outputs: listOf(json, 'outputs', (output) => ({
      name: output.require('name').string(),
      value: output.require('value').string(),
    })),
    metadata: new Map(
      (json.get('metadata')?.members() ?? []).map(([key, value]) => [key, value.string()]),
    ),
  };
  checkNames(model, source.name);
  return model;
}
