import type { Format } from '@drover/core';
import { mxnet } from '@drover/mxnet';
import { typeFlagOf } from '@drover/mxnet/codec';
import { onnx } from '@drover/onnx';
import { tfjs } from '@drover/tfjs';
import type { StoredTensor, VectorCase } from './op-vectors.js';

interface TfModel {
  readonly json: { readonly weightsManifest: readonly { readonly paths: readonly string[] }[] };
  readonly weights?: string;
}

interface MxnetModel {
  readonly symbol: string;
  readonly params: string;
}

const bytesOf = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'));
const textOf = (text: string) => new TextEncoder().encode(text);

/**
 * Shapes and types of a case's inputs, as hints that MXNet's files can carry: its graphs state
 * none.
 */
function withHints(symbol: string, inputs: readonly StoredTensor[]): string {
  const graph = JSON.parse(symbol) as {
    nodes: { op: string; name: string; attrs?: Record<string, string> }[];
  };
  for (const node of graph.nodes) {
    const given = node.op === 'null' ? inputs.find(({ name }) => name === node.name) : undefined;
    if (given)
      node.attrs = {
        ...node.attrs,
        __shape__: `(${given.shape.map((dim) => `${dim},`).join(' ')})`,
        __dtype__: String(typeFlagOf(given.dtype)),
      };
  }
  return JSON.stringify(graph);
}

/** How a framework's cases lie in files. */
export const vectorFrameworks: readonly {
  readonly name: string;
  readonly format: Format;
  readonly files: (each: VectorCase<unknown>) => Map<string, Uint8Array>;
}[] = [
  {
    name: 'onnx',
    format: onnx,
    files: ({ model }) =>
      new Map([['model.onnx', bytesOf((model as { readonly onnx: string }).onnx)]]),
  },
  {
    name: 'mxnet',
    format: mxnet,
    files: ({ model, inputs }) =>
      new Map([
        ['model-symbol.json', textOf(withHints((model as MxnetModel).symbol, inputs))],
        ['model-0000.params', bytesOf((model as MxnetModel).params)],
      ]),
  },
  {
    name: 'tf',
    format: tfjs,
    files: ({ model }) => {
      const { json, weights } = model as TfModel;
      const shard = json.weightsManifest[0]?.paths[0];
      return new Map([
        ['model.json', textOf(JSON.stringify(json))],
        ...(shard === undefined ? [] : [[shard, bytesOf(weights ?? '')] as const]),
      ]);
    },
  },
];
