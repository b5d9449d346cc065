import { mxnet } from './mxnet/mxnet.js';
import { onnxruntime } from './onnxruntime/onnxruntime.js';
import { reference } from './reference.js';
import { runtimes } from './runtimes.js';
import { tfjs } from './tfjs/tfjs.js';

it('lists every adapter as it names itself', () => {
  const adapters = [onnxruntime(), tfjs(), mxnet(), reference()];
  expect(runtimes.map(({ id, formats }) => ({ id, formats }))).toEqual(
    adapters.map(({ id, formats }) => ({ id, formats })),
  );
});
