import { flagOf, type Option as FormatOption } from '@drover/core/option';
import type { FormatAbout } from '@drover/core';
import { formats } from '@drover/formats';
import { Option } from 'commander';

/** Which of a format's options: those of reading or those of writing. */
export type Side = keyof FormatAbout['options'];

/** Every option of some format, by name, with the formats that have it. */
export function optionsByName(side: Side) {
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
  return [...optionsByName(side)].map(([name, { option, owners }]) => {
    const who = owners.map(({ title }) => title).join(', ');
    const values = option.choices ? `: ${option.choices.join(', ')}` : '';
    return new Option(
      `${flagOf(name)} <${option.placeholder}>`,
      `${option.summary}${values} (${who})`,
    );
  });
}
