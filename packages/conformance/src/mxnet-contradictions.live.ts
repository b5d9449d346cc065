import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contradictions, filesOf } from './mxnet-contradictions.js';

const python = process.env['DROVER_MXNET_PYTHON']!;

/** Runs each model in the two ways in which MXNet's users do, and notes which of them it takes. */
const program = `
import json, os, sys, warnings
warnings.filterwarnings('ignore')
import mxnet as mx
def block(at, x):
    return mx.gluon.SymbolBlock.imports(at + '/m-symbol.json', ['x'], at + '/m-0000.params')(x)
def module(at, x):
    m = mx.mod.Module(mx.sym.load(at + '/m-symbol.json'), data_names=['x'], label_names=None)
    m.bind(for_training=False, data_shapes=[('x', x.shape)])
    stored = mx.nd.load(at + '/m-0000.params')
    stored = stored if isinstance(stored, dict) else {}
    m.set_params({k[4:]: v for k, v in stored.items()}, {})
    m.forward(mx.io.DataBatch([x]), is_train=False)
    return m.get_outputs()[0]
def takes(run, at):
    try:
        run(at, mx.nd.ones(json.load(open(at + '/input.json')))).asnumpy()
        return True
    except Exception:
        return False
root = sys.argv[1]
told = {f: [takes(block, root + '/' + f), takes(module, root + '/' + f)] for f in os.listdir(root)}
json.dump(told, open(root + '/told.json', 'w'))
`;

it('MXNet takes and refuses these models as their findings assume', async () => {
  const root = mkdtempSync(join(tmpdir(), 'drover-mxnet-'));
  try {
    for (const [i, given] of contradictions.entries()) {
      mkdirSync(join(root, String(i)));
      for (const [name, bytes] of await filesOf(given))
        writeFileSync(join(root, String(i), name), bytes);
      writeFileSync(join(root, String(i), 'input.json'), JSON.stringify(given.input));
    }
    const { status, stderr } = spawnSync(python, ['-c', program, root], { encoding: 'utf8' });
    expect([status, status === 0 ? '' : stderr]).toEqual([0, '']);
    const told = JSON.parse(readFileSync(join(root, 'told.json'), 'utf8')) as Record<
      string,
      readonly boolean[]
    >;
    expect(contradictions.map(({ what }, i) => [what, ...told[i]!])).toEqual(
      contradictions.map(({ what, block, module }) => [what, block, module]),
    );
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
