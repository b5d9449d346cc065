import { DroverError } from '@drover/core';
import { discardUnfinished } from '@drover/node';
import { plain, printJson, tell } from './console.js';
import { cliDiagnostics } from './diagnostics.js';
import { exitCodeOf, exitCodes } from './exit-code.js';
import type { Run } from './outcome.js';
import { version } from './version.js';

const signals = { SIGINT: exitCodes.interrupted, SIGHUP: 129, SIGTERM: 143 } as const;

/**
 * Runs a command and tells what came of it: findings on standard error, the result on standard
 * output, the verdict as exit code.
 */
export async function execute(
  run: Run,
  args: readonly string[],
  options: Readonly<Record<string, unknown>>,
): Promise<void> {
  const interruptions = Object.entries(signals).map(([signal, code]) => {
    const stop = () => {
      discardUnfinished();
      process.exit(code);
    };
    process.once(signal, stop);
    return () => process.off(signal, stop);
  });
  const isJson = options['json'] === true;
  try {
    const { diagnostics, document, lines, hasFailed, isPiped } = await run(args, options);
    if (isJson) printJson({ drover: version, ...document, diagnostics });
    else {
      tell(diagnostics);
      for (const line of lines)
        (isPiped ? process.stderr : process.stdout).write(`${plain(line)}\n`);
    }
    process.exitCode = hasFailed ? exitCodes.checkFailed : exitCodes.done;
  } catch (error) {
    fail(error, args[0] ?? '', isJson);
  } finally {
    for (const restore of interruptions) restore();
  }
}

/**
 * Tells a failure, as every command does. `file` is what it is about where the failure itself does
 * not say.
 */
function fail(error: unknown, file: string, isJson: boolean): void {
  const failure =
    error instanceof DroverError
      ? error
      : cliDiagnostics.error('internal', {
          message: error instanceof Error ? (error.stack ?? error.message) : String(error),
          origin: { file },
        });
  if (isJson) printJson({ drover: version, diagnostics: failure.diagnostics });
  else tell(failure.diagnostics);
  process.exitCode = exitCodeOf(failure.failure);
}

/** Tells that the command line is not understood. */
export function failUsage(message: string, isJson: boolean): void {
  fail(cliDiagnostics.error('usage', { message, origin: { file: '' } }), '', isJson);
}
