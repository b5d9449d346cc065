import type { SourceNode } from './source-node.js';

/**
 * What a text attribute means that is one of a few words; `otherwise` is the word that an absent
 * one stands for. Throws `onnx/unsupported` when it is another word, and `onnx/graph` when it is
 * not there and has to be.
 */
export function meaningOf<Meaning>(
  node: SourceNode,
  name: string,
  meanings: ReadonlyMap<string, Meaning & {}>,
  otherwise?: string,
): Meaning & {} {
  const word = node.text(name, otherwise);
  const meaning = meanings.get(word);
  if (meaning !== undefined) return meaning;
  throw node.unsupported(`its ${name} is ${word}`);
}
