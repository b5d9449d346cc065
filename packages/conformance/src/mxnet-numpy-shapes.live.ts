import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tensor } from '@drover/core';
import { openFile } from '@drover/node';
import { mxnet } from '@drover/runtimes/mxnet';

const python = process.env['DROVER_MXNET_PYTHON'] ?? process.env['MXNET_PYTHON'];

/** Writes `KIND-symbol.json` and its parameters: what is numpy's is saved under numpy's shapes. */
const script = `
import sys
import numpy as np
np.bool = bool
import mxnet as mx
from mxnet import sym

def scaled():
    x, w, s = sym.var('x'), sym.var('w'), sym.var('s')
    return sym.broadcast_mul(sym.FullyConnected(x, w, no_bias=True, num_hidden=2), s, name='y')

def save(kind, symbol, symbol_numpy, params, params_numpy):
    with mx.util.np_shape(symbol_numpy):
        symbol().save(kind + '-symbol.json')
    with mx.util.np_shape(params_numpy):
        mx.nd.save(kind + '-0000.params', {'arg:' + name: mx.nd.array(np.array(value, dtype='float32')) for name, value in params.items()})

w = [[1, 2, 3], [4, 5, 6]]
save('both', scaled, True, {'w': w, 's': 2.5}, True)
save('symbol', scaled, True, {'w': w, 's': [2.5]}, False)
save('params', scaled, False, {'w': w, 's': [2.5]}, True)
save('neither', scaled, False, {'w': w, 's': [2.5]}, False)

def joined():
    x, none = sym.var('x').as_np_ndarray(), sym.var('none').as_np_ndarray()
    return sym.np.concatenate([x, none], axis=0)

save('empty', joined, True, {'none': np.zeros((0, 3))}, True)

mx.npx.set_np()
net = mx.gluon.nn.Dense(2, use_bias=False)
net.initialize()
net.hybridize()
net(mx.np.ones((1, 3)))
net.weight.set_data(mx.np.array(w))
net.export('gluon')
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'drover-numpy-shapes-'));
  execFileSync(python!, ['-W', 'ignore', '-c', script], { cwd: folder, stdio: 'pipe' });
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it.each([
  ['both', [1, 2], [15, 37.5]],
  ['symbol', [1, 2], [15, 37.5]],
  ['params', [1, 2], [15, 37.5]],
  ['neither', [1, 2], [15, 37.5]],
  ['empty', [1, 3], [1, 1, 1]],
  ['gluon', [1, 2], [6, 15]],
])(
  'real MXNet runs what was saved under numpy’s shapes: %s',
  async (kind, shape, expected) => {
    const source = await openFile(join(folder, `${kind}-symbol.json`));
    const model = await mxnet().load({ source });
    const [input] = model.inputs;
    const outputs = await model.run(new Map([[input!.name, tensor('float32', [1, 3], [1, 1, 1])]]));
    expect([...outputs.values()]).toEqual([tensor('float32', shape, expected)]);
    await model.dispose();
    source.close();
  },
  60_000,
);
