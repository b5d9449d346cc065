import { flagOf, type Option as FormatOption } from '@drover/core/option';
import type { FormatAbout } from '@drover/core';
import { formats } from '@drover/formats';
import { Option } from 'commander';
import { cliDiagnostics } from './diagnostics.js';

/** Which of a format's options: those of reading or those of writing. */
export type Side = keyof FormatAbout['options'];

/** Every option of some format, by name, with the formats that have it. */
function byName(side: Side) {
  const found = new Map<string, { option: FormatOption<unknown>; owners: FormatAbout[] }>();
  for (const { about } of formats) {
    for (const [name, option] of Object.entries(about.options[side])) {
      const known = found.get(name) ?? { option, owners: new Array<FormatAbout>() };
      known.owners.push(about);
      found.set(name, known);
    }
  }
  return found;
}

/** The options of the formats as options of a command. Values are texts: the format reads them. */
export function formatOptions(side: Side): readonly Option[] {
  return [...byName(side)].map(([name, { option, owners }]) => {
    const who = owners.map(({ title }) => title).join(', ');
    const values = option.choices ? `: ${option.choices.join(', ')}` : '';
    return new Option(
      `${flagOf(name)} <${option.placeholder}>`,
      `${option.summary}${values} (${who})`,
    );
  });
}

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
  const values: Record<string, unknown> = {};
  for (const [name, { owners }] of byName(side)) {
    const text = given[name];
    if (typeof text !== 'string') continue;
    const option = Object.hasOwn(about.options[side], name) ? about.options[side][name] : undefined;
    const flag = flagOf(name);
    if (!option) {
      const others = owners.map(({ title }) => title).join(' and ');
      const what = side === 'write' ? 'output' : 'model';
      throw usage(`${flag} is for ${others}, and the ${what} is ${about.title}.`);
    }
    const value: unknown = option.parse(text);
    if (value === undefined)
      throw usage(`${flag} must be ${option.says}, not ${JSON.stringify(text)}.`);
    values[name] = value;
  }
  return values;
}
