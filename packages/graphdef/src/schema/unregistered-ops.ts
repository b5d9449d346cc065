import type { RegisteredOp } from './registered-op.js';
import { ops } from './ops.js';

/**
 * Operators that TensorFlow does not register: the converter of TF.js makes them (tensorflowjs/converters/{fuse_prelu,fuse_depthwise_conv2d}.py, 4.22.0), or its
 * executor knows them under an own name.
 */
export const unregisteredOps = {
  Prelu: { inputs: [{ name: 'x', typeAttr: 'T' }, { name: 'alpha', typeAttr: 'T' }], outputs: [{ name: 'activations', typeAttr: 'T' }], attrs: { T: { type: 'type' } } },
  FusedDepthwiseConv2dNative: {
    inputs: [
      { name: 'input', typeAttr: 'T' },
      { name: 'filter', typeAttr: 'T' },
      { name: 'args', typeAttr: 'T', numberAttr: 'num_args' },
    ],
    outputs: [{ name: 'output', typeAttr: 'T' }],
    attrs: {
      ...ops.DepthwiseConv2dNative.attrs,
      num_args: { type: 'int' },
      fused_ops: { type: 'list(string)', default: { kind: 'list', of: 'none', values: [] } },
      epsilon: { type: 'float', default: { kind: 'f', value: 0.0001 } },
      leakyrelu_alpha: { type: 'float', default: { kind: 'f', value: 0.2 } },
    },
  },
  DepthwiseConv2d: ops.DepthwiseConv2dNative,
} as const satisfies Readonly<Record<string, RegisteredOp>>;
