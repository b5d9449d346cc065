import type { DType, Graph } from '@drover/core';
import { GraphWriter, type WrittenModel } from './graph-writer.js';

/**
 * Writes a closed graph as a function of the library: its inputs are the arguments, its outputs the
 * results. Gives the function's name.
 */
export function writeFunction(model: WrittenModel, graph: Graph, wanted: string): string {
  const name = model.names.unique(wanted);
  const writer = new GraphWriter(graph, model, true);
  const argument = (index: number, dtype: DType) => ({
    name: `arg${index}`,
    type: writer.dataType(dtype),
    extra: new Map(),
  });
  graph.inputs.forEach((input, i) =>
    writer.set(input, { text: `arg${i}`, dtype: writer.typeOf(input.dtype) }),
  );
  model.writeNodes(writer);
  // TF.js knows a result by its node alone, and disposes of what a function gives: each result is
  // a node of its own, and none is a constant.
  const results = graph.outputs.map(({ value }) =>
    graph.inputs.includes(value) ? writer.ref(value) : writer.step('Identity', [value]),
  );
  model.functions.push({
    signature: {
      name,
      inputs: graph.inputs.map((input, i) => argument(i, input.dtype)),
      outputs: graph.outputs.map(({ value }, i) => ({
        ...argument(i, value.dtype),
        name: `result${i}`,
      })),
      controlOutputs: [],
      isStateful: false,
      extra: new Map(),
    },
    nodes: writer.nodes,
    ret: new Map(results.map(({ text }, i) => [`result${i}`, text])),
    controlRet: new Map(),
    attrs: new Map(),
    argAttrs: new Map(),
    extra: new Map(),
  });
  return name;
}
