// Before the live tests: a Python with MXNet. The one that DROVER_MXNET_PYTHON or MXNET_PYTHON names, else one built from tools/pins, once.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

export default function setUp() {
  if (process.env.DROVER_MXNET_PYTHON ?? process.env.MXNET_PYTHON) return;
  const folder = resolve(import.meta.dirname, '..', 'node_modules', '.cache', 'frameworks');
  const python = join(folder, 'mxnet', 'bin', 'python');
  const works = () => {
    try {
      execFileSync(python, ['-c', 'import numpy; numpy.bool = bool; import mxnet'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  };
  if (!existsSync(python) || !works()) {
    console.error(`Building a Python with MXNet in ${folder}`);
    execFileSync('bash', [join(import.meta.dirname, 'frameworks.sh'), folder, 'mxnet'], { stdio: ['ignore', 'inherit', 'inherit'] });
  }
  process.env.DROVER_MXNET_PYTHON = python;
}
