import { DroverError, memorySource, type DiagnosticOrigin } from '@drover/core';
import { decodeMessage } from '@drover/protobuf';
import { tensorflowDiagnostics } from '../diagnostics.js';
import { schema, type ObjectGraph } from './messages.js';

/** The key under which a checkpoint of TensorFlow 2 keeps the graph of its objects. */
export const objectGraphKey = '_CHECKPOINTABLE_OBJECT_GRAPH';

const wrong = (message: string, origin: DiagnosticOrigin) =>
  tensorflowDiagnostics.error('object-graph', { message: `${message}.`, origin });

/**
 * Reads a graph of objects. Every object that it refers to is there; objects may refer to one
 * another in circles, as models do. Throws `tensorflow/object-graph` and `core/limit`.
 */
export async function decodeObjectGraph(bytes: Uint8Array, file: string): Promise<ObjectGraph> {
  const origin = { file, node: objectGraphKey };
  let graph: ObjectGraph;
  try {
    graph = await decodeMessage(
      schema,
      'ObjectGraph',
      memorySource(file, new Map([[file, bytes]])),
    );
  } catch (error) {
    if (!(error instanceof DroverError) || error.failure === 'limit') throw error;
    throw wrong(`The graph of objects is no message: ${error.message}`, origin);
  }
  const count = graph.nodes?.length ?? 0;
  for (const { children = [], slotVariables = [] } of graph.nodes ?? [])
    for (const id of [
      ...children.map(({ nodeId = 0 }) => nodeId),
      ...slotVariables.flatMap((each) => [
        each.originalVariableNodeId ?? 0,
        each.slotVariableNodeId ?? 0,
      ]),
    ])
      if (id < 0 || id >= count)
        throw wrong(`The graph of objects has ${count} of them and refers to number ${id}`, origin);
  return graph;
}

/** The attribute under which a variable keeps its value. */
const variableValue = 'VARIABLE_VALUE';

/** The tensors of variables, with what their objects call them. */
export function variablesOf({ nodes = [] }: ObjectGraph) {
  return nodes.flatMap(({ attributes = [] }, node) =>
    attributes.flatMap(({ name, fullName = '', checkpointKey }) =>
      name === variableValue && checkpointKey ? [{ node, fullName, name: checkpointKey }] : [],
    ),
  );
}
