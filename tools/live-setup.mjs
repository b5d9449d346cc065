// Before the live tests: a Python with each real framework. Those that the environment names, else
// built from tools/pins, once.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const frameworks = [
  {
    folder: 'mxnet',
    variables: ['DROVER_MXNET_PYTHON', 'MXNET_PYTHON'],
    imports: 'import numpy; numpy.bool = bool; import mxnet',
  },
  {
    folder: 'tf',
    variables: ['DROVER_TENSORFLOW_PYTHON'],
    imports: 'import tensorflow, tensorflowjs',
  },
  {
    folder: 'keras3',
    variables: ['DROVER_KERAS3_PYTHON'],
    imports: 'import keras, tensorflow; assert keras.__version__ >= "3"',
  },
  {
    folder: 'torch',
    variables: ['DROVER_TORCH_PYTHON'],
    imports: 'import torch, safetensors',
  },
];

export default function setUp() {
  const root = resolve(import.meta.dirname, '..', 'node_modules', '.cache', 'frameworks');
  for (const { folder, variables, imports } of frameworks) {
    if (variables.some((name) => process.env[name])) continue;
    const python = join(root, folder, 'bin', 'python');
    const works = () => {
      try {
        execFileSync(python, ['-c', imports], { stdio: 'ignore' });
        return true;
      } catch {
        return false;
      }
    };
    if (!existsSync(python) || !works()) {
      console.error(`Building a Python for ${folder} in ${root}`);
      execFileSync('bash', [join(import.meta.dirname, 'frameworks.sh'), root, folder], {
        stdio: ['ignore', 'inherit', 'inherit'],
      });
    }
    process.env[variables[0]] = python;
  }
}
