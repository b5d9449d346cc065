import type { Diagnostic } from '@drover/core';
import { pytorchDiagnostics } from '../../diagnostics.js';
import { instructionAt, memoIndex, type Instruction } from './instructions.js';
import { placeIn, type PickleStream } from './pickle-stream.js';
import { PickleGlobal } from './pickle-value.js';
import { faultOfName } from './python-globals.js';

/** Findings that are told of one stream. */
export const maxFindings = 100;
/** Bytes of the longest text that is taken for a name. */
const maxNameBytes = 1000;

/** `pytorch/unsafe` at a byte of a stream. */
export function unsafe(stream: PickleStream, at: number, what: string): Diagnostic {
  return pytorchDiagnostics.diagnostic('unsafe', {
    message: `${what} (${placeIn(stream, at)}).`,
    origin: { file: stream.file, offset: stream.offset + at },
  });
}

/**
 * What a pickle that cannot be read names, as far as it goes, of what runs code. Names on the stack
 * are taken to be the last two texts.
 */
export function unsafeNames(stream: PickleStream): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  const texts: string[] = [];
  const memo = new Map<number | undefined, string>();
  const textOf = (start: number, end: number) =>
    new TextDecoder().decode(stream.bytes.subarray(start, Math.min(end, start + maxNameBytes)));
  for (let at = 0; found.length < maxFindings;) {
    const instruction = tryInstruction(stream, at);
    if (!instruction) return found;
    const { opcode, start, end, second, next } = instruction;
    const last = texts.at(-1);
    if (/UNICODE|STRING/.test(opcode.name)) texts.push(textOf(start, end));
    else if (opcode.name === 'MEMOIZE' && last !== undefined) memo.set(memo.size, last);
    else if (/PUT$/.test(opcode.name) && last !== undefined)
      memo.set(memoIndex(instruction, stream.bytes), last);
    else if (/GET$/.test(opcode.name))
      texts.push(memo.get(memoIndex(instruction, stream.bytes)) ?? '');
    const global =
      opcode.argument === 'two-lines'
        ? new PickleGlobal(textOf(start, second - 1), textOf(second, end))
        : opcode.name === 'STACK_GLOBAL'
          ? new PickleGlobal(texts.at(-2) ?? '', last ?? '')
          : undefined;
    const fault = global && faultOfName(global);
    if (fault !== undefined) found.push(unsafe(stream, at, `${global!.path} ${fault}`));
    at = next;
  }
  return found;
}

function tryInstruction(stream: PickleStream, at: number): Instruction | undefined {
  try {
    return instructionAt(stream, at);
  } catch {
    return undefined;
  }
}
