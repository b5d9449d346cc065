import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { systemCode } from './file-source.js';

/** Process ids mean something on one machine only, and folders may be shared. */
const machine = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
const pattern = /\.drover-([0-9a-f]{8})-(\d+)-[0-9a-f]{12}\.tmp$/;

/**
 * A hidden name beside `name` that no other process uses: it tells the machine and the process, so
 * that leftovers are known as such.
 */
export function temporaryName(name: string): string {
  return `.${name.slice(0, 40)}.drover-${machine}-${process.pid}-${randomBytes(6).toString('hex')}.tmp`;
}

/** Whether a file of this name is one that a sink has not finished. */
export function isTemporary(name: string): boolean {
  return pattern.test(name);
}

/** Removes what killed processes of this machine left in a folder. */
export function sweep(folder: string): void {
  for (const name of readdirSync(folder)) {
    const [, where, pid] = pattern.exec(name) ?? [];
    if (where === machine && !isAlive(Number(pid))) rmSync(join(folder, name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return systemCode(error) !== 'ESRCH';
  }
}
