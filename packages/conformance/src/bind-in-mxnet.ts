import { spawnSync } from 'node:child_process';

/**
 * Binds each written model as MXNet's users do and stores what it computes, one process for all of
 * them.
 */
const program = `
import base64, json, os, sys
import numpy as np, mxnet as mx
for folder in sorted(os.listdir(sys.argv[1])):
    at = os.path.join(sys.argv[1], folder)
    try:
        symbol = mx.sym.load(at + '/model-symbol.json')
        stored = mx.nd.load(at + '/model-0000.params')
        stored = stored if isinstance(stored, dict) else {}
        given = {k[4:]: v for k, v in stored.items() if k.startswith('arg:')}
        for i in json.load(open(at + '/inputs.json')):
            a = np.frombuffer(base64.b64decode(i['data']), i['dtype']).reshape(i['shape'])
            given[i['name']] = mx.nd.array(a, dtype=a.dtype)
        names = symbol.list_arguments()
        bound = symbol.bind(mx.cpu(), {k: v for k, v in given.items() if k in names}, aux_states={k[4:]: v for k, v in stored.items() if k.startswith('aux:')})
        results = [o.asnumpy() for o in bound.forward(is_train=False)]
        out = [{'name': '', 'dtype': r.dtype.name, 'shape': list(r.shape), 'data': base64.b64encode(np.ascontiguousarray(r).tobytes()).decode()} for r in results]
        json.dump(out, open(at + '/outputs.json', 'w'))
    except Exception as e:
        open(at + '/error.txt', 'w').write(str(e))
`;

/**
 * Binds the models in the folders below `root` in real MXNet, as its users do: `model-symbol.json`,
 * `model-0000.params`, `inputs.json` ([{name, dtype, shape, data}], data in base64). Leaves
 * `outputs.json` of the same form, or `error.txt`, beside each. Fails when Python does.
 */
export function bindInMxnet(python: string, root: string): void {
  const { status, stderr } = spawnSync(python, ['-c', program, root], { encoding: 'utf8' });
  expect([status, status === 0 ? '' : stderr]).toEqual([0, '']);
}
