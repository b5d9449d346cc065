import { parseTensorName } from './tensor-name.js';

// Names as torch 2.15, Keras 2.15 and 3, TensorFlow 2.15 and MXNet 1.9 write them.
it.each([
  ['features.0.1.running_mean', ['features', '0', '1'], 'running_mean'],
  ['module.layer1.0.conv1.weight', ['module', 'layer1', '0', 'conv1'], 'weight'],
  ['encoder.self_attn.in_proj_weight', ['encoder', 'self_attn'], 'in_proj_weight'],
  ['block_1_expand/kernel:0', ['block_1_expand'], 'kernel'],
  ['block_1_expand_BN/moving_variance', ['block_1_expand_BN'], 'moving_variance'],
  ['layer_with_weights-0/kernel/.ATTRIBUTES/VARIABLE_VALUE', ['layer_with_weights-0'], 'kernel'],
  ['arg:stage1_conv0_weight', ['stage1_conv0'], 'weight'],
  ['aux:stage1_batchnorm0_moving_var', ['stage1_batchnorm0'], 'moving_var'],
  ['weight', [], 'weight'],
] as const)('%s is a layer’s tensor', (name, path, leaf) => {
  expect(parseTensorName(name)).toEqual({ path, leaf });
});

it.each([
  ['rnn.weight_hh_l1_reverse', { path: ['rnn'], leaf: 'weight_hh', layer: 1, isReverse: true }],
  ['rnn.bias_ih_l0', { path: ['rnn'], leaf: 'bias_ih', layer: 0, isReverse: false }],
  ['lstm0.l0_i2h_weight', { path: ['lstm0'], leaf: 'i2h_weight', layer: 0, isReverse: false }],
  ['lstm0_r1_h2h_bias', { path: ['lstm0'], leaf: 'h2h_bias', layer: 1, isReverse: true }],
] as const)('%s is a recurrence’s', (name, parsed) => {
  expect(parseTensorName(name)).toEqual(parsed);
});

it.each(['onnx::MatMul_312', 'val_59', 'features.0.1.num_batches_tracked', 'position'])(
  '%s tells no layer',
  (name) => {
    expect(parseTensorName(name)).toBeUndefined();
  },
);
