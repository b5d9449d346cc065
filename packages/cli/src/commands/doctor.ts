import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import type { Outcome } from '../outcome.js';
import { version } from '../version.js';

interface Finding {
  readonly name: string;
  /** Null when it is not there. */
  readonly version: string | null;
  /** What it is for, or what to do to have it. */
  readonly note: string;
}

const packages = [
  ['onnxruntime-node', 'runs ONNX models'],
  ['@tensorflow/tfjs-core', 'runs TensorFlow.js models'],
  ['@tensorflow/tfjs-converter', 'runs TensorFlow.js models'],
  ['@tensorflow/tfjs-backend-cpu', 'runs TensorFlow.js models'],
] as const;

function packageVersion(name: string): string | null {
  const require = createRequire(import.meta.url);
  try {
    return (require(`${name}/package.json`) as { readonly version: string }).version;
  } catch {
    return null;
  }
}

async function mxnetVersion(): Promise<string | null> {
  const python = process.env['DROVER_MXNET_PYTHON'] ?? process.env['MXNET_PYTHON'];
  if (python === undefined) return null;
  try {
    const { stdout } = await promisify(execFile)(python, [
      '-W',
      'ignore',
      '-c',
      'import numpy; numpy.bool = bool; import mxnet; print(mxnet.__version__)',
    ]);
    return stdout.trim();
  } catch {
    return null;
  }
}

/** `drover doctor`: what is installed. Nothing that is missing is a failure: formats are read and written without their runtimes. */
export async function doctorCommand(): Promise<Outcome> {
  const installed: Finding[] = [
    { name: 'drover', version, note: '' },
    { name: 'node', version: process.versions.node, note: '' },
    ...packages.map(([name, use]) => {
      const found = packageVersion(name);
      return { name, version: found, note: found === null ? `npm install ${name}: ${use}` : use };
    }),
  ];
  const mxnet = await mxnetVersion();
  installed.push({
    name: 'mxnet',
    version: mxnet,
    note: mxnet === null ? 'set DROVER_MXNET_PYTHON to a Python with mxnet 1.9.1: runs MXNet models' : 'runs MXNet models',
  });
  return {
    diagnostics: [],
    document: { installed },
    lines: installed.map(({ name, version: found, note }) => `${name.padEnd(30)} ${(found ?? 'missing').padEnd(10)} ${note}`.trimEnd()),
  };
}
