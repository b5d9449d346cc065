import { coreDiagnostics, type DroverError } from '@drover/core';
import { pytorchDiagnostics } from '../../diagnostics.js';

/** Bounds that protect from hostile pickles. */
export interface PickleLimits {
  /** Opcodes of one stream; a million unless told. */
  readonly maxOpcodes: number;
  /** Bytes of one text; 10 MB unless told. What only stands for bytes of an array may be longer. */
  readonly maxTextBytes: number;
  /** Bytes of one integer; 4096 unless told. */
  readonly maxIntegerBytes: number;
}

/** The limits unless the caller says otherwise. */
export const pickleLimits: PickleLimits = {
  maxOpcodes: 1_000_000,
  maxTextBytes: 10_000_000,
  maxIntegerBytes: 4096,
};

/** Bytes that begin with a pickle, and where they come from. */
export interface PickleStream {
  readonly bytes: Uint8Array;
  /** What findings name: `archive/data.pkl`, or the file itself. */
  readonly name: string;
  /** The file, as the user named it. */
  readonly file: string;
  /** Offset of the bytes within the file. */
  readonly offset: number;
}

/** Where something stands, in words that follow it. */
export function placeIn({ name }: PickleStream, at: number): string {
  return `at byte ${at} of ${name}`;
}

/** `pytorch/pickle` at a byte of a stream. */
export function broken(stream: PickleStream, at: number, why: string): DroverError {
  return pytorchDiagnostics.error('pickle', {
    message: `${why} ${placeIn(stream, at)}.`,
    origin: { file: stream.file, offset: stream.offset + at },
  });
}

/** `core/limit` at a byte of a stream; `what` names the limit. */
export function beyond(stream: PickleStream, at: number, what: string): DroverError {
  return coreDiagnostics.error('limit', {
    message: `${what} ${placeIn(stream, at)}.`,
    origin: { file: stream.file, offset: stream.offset + at },
  });
}
