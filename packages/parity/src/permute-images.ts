import { Weight, type Graph, type Tensor } from '@drover/core';
import { imageInputs, permutationTo, type Layout } from '@drover/core/format';

/** Inputs for a graph with its images in a layout, as a model takes them that was written so. */
export async function permuteImages(
  graph: Graph,
  inputs: ReadonlyMap<string, Tensor>,
  layout: Layout,
): Promise<Map<string, Tensor>> {
  const images = imageInputs(graph, layout);
  const permuted = new Map<string, Tensor>();
  for (const [i, [name, value]] of [...inputs].entries()) {
    const isImage = images.has(
      graph.inputs.find((input) => input.name === name) ?? graph.inputs[i]!,
    );
    permuted.set(
      name,
      isImage
        ? await Weight.from(value).transpose(permutationTo(layout, value.shape.length)).tensor()
        : value,
    );
  }
  return permuted;
}
