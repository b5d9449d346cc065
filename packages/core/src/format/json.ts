import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import type { DroverError } from '../diagnostics/diagnostic.js';
import { ownMember } from '../graph/own-member.js';
import type { Source } from './source.js';

/**
 * Anything that JSON can say. Keys of objects are kept as own properties, `__proto__` included:
 * read them through {@link JsonCursor} only.
 */
export type JsonValue =
  null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** Bounds that protect from hostile JSON. */
export interface JsonLimits {
  /** Deepest nesting of arrays and objects; 128 unless told. */
  readonly maxDepth?: number;
  /**
   * Longest text in bytes; 500 MB unless told, a little below the longest string of JavaScript
   * engines.
   */
  readonly maxBytes?: number;
}

/**
 * Reads a file as JSON (UTF-8). Throws `core/json` when it is not JSON, `core/limit` when it is too
 * long or nested too deeply, `core/duplicate` when an object has two members of one name.
 */
export async function readJson(source: Source, limits: JsonLimits = {}): Promise<JsonCursor> {
  const maxBytes = limits.maxBytes ?? 500_000_000;
  if (source.size > maxBytes) {
    throw coreDiagnostics.error('limit', {
      message: `${source.name} has ${source.size} bytes of JSON (maxBytes ${maxBytes}).`,
      origin: { file: source.name },
    });
  }
  return new JsonCursor(
    parseJson(decodeUtf8(await source.read(), source.name), source.name, limits),
    source.name,
  );
}

function decodeUtf8(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw coreDiagnostics.error('json', {
      message: `${file} is not UTF-8 text.`,
      origin: { file },
    });
  }
}

/**
 * Parses JSON text. Throws `core/json` when it is not JSON, `core/limit` when it is nested too
 * deeply, `core/duplicate` when an object has two members of one name.
 */
export function parseJson(
  text: string,
  file: string,
  { maxDepth = 128 }: JsonLimits = {},
): JsonValue {
  checkNesting(text, file, maxDepth);
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    throw coreDiagnostics.error('json', {
      message: `${file} is not JSON: ${(error as Error).message}`,
      origin: { file },
    });
  }
}

const [quote, backslash, colon] = [0x22, 0x5c, 0x3a];
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d];
/** What JSON allows between its parts: space, tab and line ends. */
const isBlank = (c: number) => c === 0x20 || c === 0x09 || c === 0x0a || c === 0x0d;

/**
 * Before the parser sees it: engines differ in what deep nesting does to them, and so do the walks
 * over its result; and of two members of one name a parser drops one in silence.
 */
function checkNesting(text: string, file: string, maxDepth: number): void {
  let depth = 0;
  /** Keys of the object that is open at each depth; they are emptied and taken again. */
  const keys: Set<string>[] = [];
  /** Whether an object is open at each depth, or a list. */
  const isObject: boolean[] = [];
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === quote) {
      const start = i++;
      for (; i < text.length && text.charCodeAt(i) !== quote; i++)
        if (text.charCodeAt(i) === backslash) i++;
      if (isObject[depth] !== true) continue;
      let next = i + 1;
      while (isBlank(text.charCodeAt(next))) next++;
      if (text.charCodeAt(next) !== colon) continue;
      const key = unescaped(text.slice(start, i + 1));
      if (keys[depth]!.has(key))
        throw coreDiagnostics.error('duplicate', {
          message: `An object of ${file} has two members ${JSON.stringify(key)}.`,
          origin: { file, offset: start },
        });
      keys[depth]!.add(key);
    } else if (c === openBrace || c === openBracket) {
      if (++depth > maxDepth) {
        throw coreDiagnostics.error('limit', {
          message: `${file} nests deeper than ${maxDepth} levels (maxDepth).`,
          origin: { file, offset: i },
        });
      }
      isObject[depth] = c === openBrace;
      if (c === openBrace) (keys[depth] ??= new Set<string>()).clear();
    } else if (depth > 0 && (c === closeBrace || c === closeBracket)) depth--;
  }
}

/** The text that a string of JSON, with its quotes, stands for; the string where it is none. */
function unescaped(string: string): string {
  if (!string.includes('\\')) return string.slice(1, -1);
  try {
    return JSON.parse(string) as string;
  } catch {
    return string;
  }
}

/**
 * A place in a JSON document that knows its JSON pointer: reads what must be there with its type,
 * or throws `core/json` naming the place.
 */
export class JsonCursor {
  constructor(
    readonly value: JsonValue,
    readonly file: string,
    private readonly parent?: JsonCursor,
    private readonly key: string | number = '',
  ) {}

  /** RFC 6901. */
  get pointer(): string {
    const up = this.parent;
    return up === undefined
      ? ''
      : `${up.pointer}/${String(this.key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
  }

  /** The error that what stands here is wrong. */
  error(message: string): DroverError {
    return coreDiagnostics.error('json', {
      message: `${this.pointer || 'The document'} ${message}.`,
      origin: { file: this.file, pointer: this.pointer },
    });
  }

  string(): string {
    if (typeof this.value !== 'string') throw this.error('is not a string');
    return this.value;
  }

  boolean(): boolean {
    if (typeof this.value !== 'boolean') throw this.error('is not a boolean');
    return this.value;
  }

  number(): number {
    if (typeof this.value !== 'number') throw this.error('is not a number');
    return this.value;
  }

  /** An integer of at least `min` that JavaScript holds exactly. */
  integer(min = -Number.MAX_SAFE_INTEGER): number {
    if (!Number.isSafeInteger(this.value) || (this.value as number) < min)
      throw this.error(`is not an integer of at least ${min}`);
    return this.value as number;
  }

  get isArray(): boolean {
    return Array.isArray(this.value);
  }

  get isObject(): boolean {
    return typeof this.value === 'object' && this.value !== null && !Array.isArray(this.value);
  }

  /** The elements of an array. */
  items(): JsonCursor[] {
    if (!Array.isArray(this.value)) throw this.error('is not an array');
    return this.value.map((item: JsonValue, i) => new JsonCursor(item, this.file, this, i));
  }

  /**
   * The members of an object, in the order of the file (numeric keys first, as JavaScript has it).
   */
  members(): [string, JsonCursor][] {
    return Object.entries(this.#object()).map(([key, item]) => [
      key,
      new JsonCursor(item, this.file, this, key),
    ]);
  }

  /** A member of an object, if it is there; a member that is null counts as absent. */
  get(key: string): JsonCursor | undefined {
    const item = ownMember(this.#object(), key) as JsonValue | undefined;
    return item === undefined || item === null
      ? undefined
      : new JsonCursor(item, this.file, this, key);
  }

  /** A member of an object that must be there. */
  require(key: string): JsonCursor {
    const item = this.get(key);
    if (item === undefined) throw this.error(`has no ${JSON.stringify(key)}`);
    return item;
  }

  #object(): { readonly [key: string]: JsonValue } {
    if (!this.isObject) throw this.error('is not an object');
    return this.value as { readonly [key: string]: JsonValue };
  }
}
