// An engine that gives its input back, or fails as its settings say.
import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

const faults = {
  exit: () => process.exit(7),
  abort: () => process.abort(),
  hang: () => {
    for (;;);
  },
  throw: () => {
    throw new TypeError('x is not a function');
  },
  rejectLater: () => {
    Promise.reject(new RangeError('nobody waits for this'));
    return setTimeout(60_000);
  },
};

export async function load(files, { loading, running, pidFile, own, other }) {
  if (pidFile) writeFileSync(pidFile, `${process.pid}`);
  if (loading) await faults[loading]();
  console.log('this would spoil what a command writes');
  console.error('the last thing that it said');
  return {
    inputs: [{ name: 'x', dtype: 'float32', shape: [null] }],
    outputs: [
      { name: 'x', dtype: 'float32', shape: [null] },
      { name: 'files', dtype: 'string', shape: [files.length] },
    ],
    async run(inputs) {
      if (own) writeFileSync(own, '');
      while (other && !existsSync(other)) await setTimeout(10);
      if (running) await faults[running]();
      const contents = files.map(
        ({ path, bytes }) => `${path}: ${new TextDecoder().decode(bytes)}`,
      );
      return [inputs.get('x'), { dtype: 'string', shape: [files.length], data: contents }];
    },
    async dispose() {},
  };
}
