/**
 * Members of `userDefinedMetadata` that TF.js itself reads (tfjs-converter 4.22,
 * executor/graph_model.ts): they describe the graph that they came with, and no other.
 */
export const ownMetadata: ReadonlySet<string> = new Set(['signature', 'structuredOutputKeys']);
