import { runtimeDiagnostics } from '@drover/core';

/**
 * Loads an optional package of a runtime. Throws `runtimes/not-installed`, naming what to install.
 */
export async function importPeer<T>(packages: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    throw runtimeDiagnostics.error('not-installed', {
      message: `${packages} cannot be loaded: ${messageOf(error)}`,
      help: `Install it: npm install ${packages}`,
      origin: { file: packages },
    });
  }
}

/** The text of whatever was thrown, on one line. */
export function messageOf(error: unknown): string {
  const text =
    typeof error === 'object' && error !== null && 'message' in error
      ? String(error.message)
      : String(error);
  return text.replaceAll(/\s+/g, ' ').trim();
}
