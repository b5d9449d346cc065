import type { NodeProto } from '../schema/onnx.js';

/** Where PyTorch's exporter of `torch.export` programs writes the modules around an operator. */
const key = 'pkg.torch.onnx.name_scopes';

/**
 * The module of the exported program that a node computes: `encoder.layer.0.query`. PyTorch writes
 * a Python list of the modules from the outermost in, `['', 'encoder', …, 'linear_1']`, and last
 * the operator.
 */
export function moduleOf({ metadataProps = [] }: NodeProto): string | undefined {
  const text = metadataProps.find((each) => each.key === key)?.value;
  const names = text && /^\['.*'\]$/s.test(text) ? text.slice(2, -2).split("', '") : [];
  const module = names.at(-2);
  return module === '' ? undefined : module;
}
