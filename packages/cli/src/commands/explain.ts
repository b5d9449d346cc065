import { coreDiagnostics, runtimeDiagnostics, type DiagnosticCatalogue } from '@drover/core';
import { loadFormats } from '@drover/formats';
import { nodeDiagnostics } from '@drover/node';
import { parityDiagnostics } from '@drover/parity';
import { zipDiagnostics } from '@drover/zip';
import { cliDiagnostics } from '../diagnostics.js';
import type { Outcome } from '../outcome.js';

/** Catalogues of everything that is no format. */
const own: readonly DiagnosticCatalogue<string>[] = [
  cliDiagnostics,
  coreDiagnostics,
  nodeDiagnostics,
  parityDiagnostics,
  runtimeDiagnostics,
  zipDiagnostics,
];

/** `drover explain CODE`. */
export async function explainCommand([code]: readonly string[]): Promise<Outcome> {
  const [prefix, name] = code!.split('/', 2) as [string, string | undefined];
  const catalogues = [...own, ...(await loadFormats()).flatMap(({ diagnostics }) => diagnostics)];
  const { kinds = {} } = catalogues.find((catalogue) => catalogue.prefix === prefix) ?? {};
  const kind = new Map(Object.entries(kinds)).get(name ?? '');
  if (!kind)
    throw cliDiagnostics.error('usage', {
      message: `There is no diagnostic ${JSON.stringify(code)}.`,
      origin: { file: '' },
    });
  return { diagnostics: [], document: { code, ...kind }, lines: [kind.summary, kind.help] };
}
