import { coreDiagnostics, type Report } from '@drover/core';
import { attrOf, dtypeOf, type GraphDef } from '@drover/graphdef/codec';
import type { StoredWeight } from '../codec/model.js';
import { tfjsDiagnostics } from '../diagnostics.js';
import { computedType } from '../vocabulary/computed-type.js';

/**
 * Compares the stored weights with the constants that they are the elements of. TF.js takes them as
 * they are stored: another shape is a warning, `core/wrong-declaration`. Another kind of elements
 * would be computed with in another type than the graph says: that is a `tfjs/weights` error.
 */
export function compareConstants(
  { nodes, functions }: GraphDef,
  weights: readonly StoredWeight[],
  file: string,
  report: Report,
): void {
  const stored = new Map(weights.map((weight) => [weight.name, weight]));
  for (const node of [nodes, ...functions.map((each) => each.nodes)].flat()) {
    const weight = node.op === 'Const' ? stored.get(node.name) : undefined;
    if (!weight) continue;
    const origin = { file, node: node.name, op: node.op };
    const type = attrOf(node, 'dtype');
    const dtype = type?.kind === 'type' ? dtypeOf(type.value) : undefined;
    if (dtype && computedType(dtype) !== computedType(weight.dtype))
      throw tfjsDiagnostics.error('weights', {
        message: `The constant ${node.name} is ${dtype}, and is stored as ${weight.dtype}.`,
        origin,
      });
    const value = attrOf(node, 'value');
    const dims = value?.kind === 'tensor' ? value.value.shape.dims?.map(Number) : undefined;
    const { shape } = weight;
    if (
      dims &&
      (dims.length !== shape.length || dims.some((size, i) => size >= 0 && size !== shape[i]))
    )
      report.add(
        coreDiagnostics.diagnostic('wrong-declaration', {
          message: `The constant ${node.name} is said to have the shape [${dims.join(', ')}], and is stored with [${shape.join(', ')}].`,
          origin,
        }),
      );
  }
}
