const channels = ['scales', 'zero_points', 'axis'];

/** What a quantised tensor has beside its codes, by its scheme, in PyTorch's order. */
export const quantisedParts: ReadonlyMap<string, readonly string[]> = new Map([
  ['torch.per_tensor_affine', ['scale', 'zero_point']],
  ['torch.per_channel_affine', channels],
  ['torch.per_channel_affine_float_qparams', channels],
]);

const compressed = ['compressed_indices', 'plain_indices', 'values', 'size'];

/** What a sparse tensor is made of, by its layout, in PyTorch's order. */
export const sparseParts: ReadonlyMap<string, readonly string[]> = new Map([
  ['torch.sparse_coo', ['indices', 'values', 'size', 'is_coalesced']],
  ...['csr', 'csc', 'bsr', 'bsc'].map((name) => [`torch.sparse_${name}`, compressed] as const),
]);
