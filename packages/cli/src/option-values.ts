import type { FormatAbout } from '@drover/core';
import { flagOf } from '@drover/core/option';
import { cliDiagnostics } from './diagnostics.js';
import { optionsByName, type Side } from './format-options.js';

/**
 * The values of a format's options among those of a command. Throws `cli/usage` for a value that
 * the option does not take, and for an option that only other formats have: it would be passed over
 * in silence.
 */
export function optionValues(
  about: FormatAbout,
  side: Side,
  given: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const usage = (message: string) =>
    cliDiagnostics.error('usage', { message, origin: { file: '' } });
  const texts = new Map(Object.entries(given));
  const own = new Map(Object.entries(about.options[side]));
  const values = new Map<string, unknown>();
  for (const [name, { owners }] of optionsByName(side)) {
    const text = texts.get(name);
    if (typeof text !== 'string') continue;
    const option = own.get(name);
    const flag = flagOf(name);
    if (!option) {
      const others = owners.map(({ title }) => title).join(' and ');
      const what = side === 'write' ? 'output' : 'model';
      throw usage(`${flag} is for ${others}, and the ${what} is ${about.title}.`);
    }
    const value: unknown = option.parse(text);
    if (value === undefined)
      throw usage(`${flag} must be ${option.says}, not ${JSON.stringify(text)}.`);
    values.set(name, value);
  }
  return Object.fromEntries(values);
}
