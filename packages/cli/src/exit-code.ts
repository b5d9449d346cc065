import type { Failure } from '@drover/core';

/**
 * What the process tells its caller: a check failed is the verdict of a comparison; usage also
 * stands for files that cannot be read or written.
 */
export const exitCodes = {
  done: 0,
  checkFailed: 1,
  usage: 2,
  unsupported: 3,
  malformed: 4,
  interrupted: 130,
} as const;

/** The exit code of a failure. */
export function exitCodeOf(failure: Failure): number {
  if (failure === 'usage' || failure === 'io') return exitCodes.usage;
  return failure === 'unsupported' ? exitCodes.unsupported : exitCodes.malformed;
}
