import { misfit } from './fits.js';

// From the changelog of operators: Add takes 8- and 16-bit integers since version 14, Cast 8-bit
// floats since 19 and 4-bit integers since 21.
test.each([
  ['Add', 13, ['int8', 'int8'], ['int8'], "ONNX's Add takes no int8 in operator set 13"],
  ['Add', 14, ['int8', 'int8'], ['int8'], undefined],
  ['Cast', 18, ['float32'], ['float8e5m2'], "ONNX's Cast gives no float8e5m2 in operator set 18"],
  ['Cast', 19, ['float32'], ['float8e5m2'], undefined],
  ['Cast', 20, ['float32'], ['int4'], "ONNX's Cast gives no int4 in operator set 20"],
  ['Cast', 21, ['float32'], ['int4'], undefined],
  ['Concat', 21, ['float32', undefined, 'float32'], ['float32'], undefined],
  [
    'Concat',
    21,
    ['float32', 'float32', 'int4'],
    ['float32'],
    "ONNX's Concat takes no int4 in operator set 21",
  ],
  ['Frobnicate', 21, ['int4'], ['int4'], undefined],
] as const)('%s in version %i of %j', (opType, opset, inputs, outputs, expected) => {
  expect(misfit(opType, opset, inputs, outputs)).toBe(expected);
});
