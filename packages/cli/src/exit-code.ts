import type { Failure } from '@drover/core';

/** What the process tells its caller. */
export const exitCodes = { done: 0, checkFailed: 1, usage: 2, unsupported: 3, malformed: 4, interrupted: 130 } as const;

/** The exit code of a failure. */
export function exitCodeOf(failure: Failure): number {
  if (failure === 'usage' || failure === 'io') return exitCodes.usage;
  return failure === 'unsupported' ? exitCodes.unsupported : exitCodes.malformed;
}
