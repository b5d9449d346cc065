import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import type { Report } from '../diagnostics/report.js';

/** How many are named. */
const maxNamed = 3;

/**
 * Reports, in one `core/wrong-declaration`, all that a file declares otherwise than it is: `what`
 * says of whom, `wrong` each case.
 */
export function reportWrongDeclarations(
  what: string,
  wrong: ReadonlySet<string>,
  file: string,
  report: Report,
): void {
  if (wrong.size === 0) return;
  const more = wrong.size > maxNamed ? `, and ${wrong.size - maxNamed} more` : '';
  const message = `${what}: ${[...wrong].slice(0, maxNamed).join('; ')}${more}.`;
  report.add(coreDiagnostics.diagnostic('wrong-declaration', { message, origin: { file } }));
}
