import { stripVTControlCharacters, styleText } from 'node:util';
import type { Diagnostic } from '@drover/core';

const isColoured = (stream: NodeJS.WriteStream) =>
  stream.isTTY && process.env['NO_COLOR'] === undefined;

// eslint-disable-next-line no-control-regex -- control characters are what is taken out
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** Text that a file brought along, without what a terminal would take for commands. */
export function plain(text: string): string {
  return stripVTControlCharacters(text).replace(controls, '\ufffd');
}

function styled(
  stream: NodeJS.WriteStream,
  style: Parameters<typeof styleText>[0],
  text: string,
): string {
  return isColoured(stream) ? styleText(style, text) : text;
}

const colours = { error: 'red', warning: 'yellow', info: 'cyan' } as const;

/**
 * Findings for people, errors first, those of one kind and operator together, on standard error.
 */
export function tell(diagnostics: readonly Diagnostic[]): void {
  const order = { error: 0, warning: 1, info: 2 } as const;
  const groups = new Map<string, Diagnostic[]>();
  for (const diagnostic of [...diagnostics].sort((a, b) => order[a.severity] - order[b.severity])) {
    const key = JSON.stringify([diagnostic.code, diagnostic.origin.op ?? '', diagnostic.help]);
    groups.set(key, [...(groups.get(key) ?? []), diagnostic]);
  }
  const { stderr } = process;
  for (const group of groups.values()) {
    const [first] = group as [Diagnostic];
    for (const { message } of group.slice(0, 5))
      stderr.write(
        `${styled(stderr, colours[first.severity], first.severity)} ${first.code}: ${plain(message)}\n`,
      );
    if (group.length > 5) stderr.write(`  and ${group.length - 5} more like these\n`);
    const { file, offset, pointer } = first.origin;
    const place = [file, offset === undefined ? '' : `byte ${offset}`, pointer ?? '']
      .filter(Boolean)
      .join(', ');
    stderr.write(`  ${place === '' ? '' : `in ${plain(place)}; `}${plain(first.help)}\n`);
  }
}

/** The document of a command on standard output, as one line of JSON. */
export function printJson(document: unknown): void {
  process.stdout.write(`${JSON.stringify(document)}\n`);
}
