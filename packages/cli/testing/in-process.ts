import { main } from '../src/main.js';

/** What a command printed, and its exit code. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs drover in this process, from its source. */
export async function drover(...args: readonly string[]): Promise<Ran> {
  const printed = { stdout: '', stderr: '' };
  const real = { stdout: process.stdout.write, stderr: process.stderr.write };
  for (const name of ['stdout', 'stderr'] as const) {
    process[name].write = ((chunk: string | Uint8Array) => {
      printed[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('latin1');
      return true;
    }) as typeof process.stdout.write;
  }
  process.exitCode = undefined;
  try {
    await main(args);
    // Node warns that jest runs modules in an experimental way.
    const stderr = printed.stderr.replace(/^\((node:\d+|Use `node).*\n/gm, '');
    return { code: Number(process.exitCode ?? 0), stdout: printed.stdout, stderr };
  } finally {
    process.stdout.write = real.stdout;
    process.stderr.write = real.stderr;
    process.exitCode = undefined;
  }
}
