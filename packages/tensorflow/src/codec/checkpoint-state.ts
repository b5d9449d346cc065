import type { DroverError, Source } from '@drover/core';
import { checkPath } from '@drover/core/format';
import { tensorflowDiagnostics } from '../diagnostics.js';
import { baseName } from './bundle-files.js';

/** A state that names all checkpoints of a long training has some kilobytes. */
const maxBytes = 2 ** 20;

/** Whether text is the start of a file named `checkpoint`, as TensorFlow writes it. */
export const isStateHead = (text: string): boolean =>
  /^\s*model_checkpoint_path\s*:\s*["']/.test(text);

/**
 * The prefix of the latest checkpoint, from a file that names it (CheckpointState of
 * checkpoint_state.proto, in the text form of protobuf), relative to its folder. An absolute path
 * is one of the machine that trained: its last part is taken. Throws `tensorflow/state`, and
 * `core/path` for a prefix outside the folder.
 */
export async function latestPrefix(source: Source): Promise<string> {
  const { name: file, size } = source;
  const wrong = (message: string, line?: number): DroverError =>
    tensorflowDiagnostics.error('state', {
      message: `${message}${line === undefined ? '' : ` in line ${line} of ${file}`}.`,
      origin: { file },
    });
  if (size > maxBytes) throw wrong(`${file} has ${size} bytes`);
  const text = new TextDecoder().decode(await source.read());
  let latest: string | undefined;
  for (const [i, line] of text.split('\n').entries()) {
    const [, field, quoted, number] =
      /^\s*(\w+)\s*:\s*(?:("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(-?[\d.]+(?:e[+-]?\d+)?))\s*$/i.exec(
        line,
      ) ?? [];
    if (field === undefined && line.trim() !== '')
      throw wrong('There is no field with its value', i + 1);
    if (field !== 'model_checkpoint_path') continue;
    if (quoted === undefined) throw wrong(`${number} is no path`, i + 1);
    const path = unescaped(quoted.slice(1, -1));
    if (path === undefined) throw wrong('A text is damaged', i + 1);
    latest = path;
  }
  if (latest === undefined) throw wrong(`${file} names no checkpoint`);
  return checkPath(latest.startsWith('/') ? baseName(latest) : latest, file);
}

const letters: ReadonlyMap<string, number> = new Map(
  Object.entries({ n: 10, r: 13, t: 9, '"': 34, "'": 39, '\\': 92 }),
);

/** The text of a literal, whose escapes are bytes of UTF-8; undefined where it is none. */
function unescaped(literal: string): string | undefined {
  const bytes: number[] = [];
  const parts = /\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|(.))|([^\\]+)/gsu;
  for (const [, octal, hex, letter, plain] of literal.matchAll(parts)) {
    if (plain !== undefined) bytes.push(...new TextEncoder().encode(plain));
    else {
      const byte =
        letter === undefined ? parseInt(octal ?? hex!, octal ? 8 : 16) : letters.get(letter);
      if (byte === undefined) return undefined;
      bytes.push(byte);
    }
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(bytes));
  } catch {
    return undefined;
  }
}
