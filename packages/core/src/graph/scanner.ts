import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import type { DroverError } from '../diagnostics/diagnostic.js';
import type { Json } from '../ops/attr.js';
import { bareWord } from './text.js';

const space = /\s*/y;
const word = new RegExp(bareWord.source.slice(1, -1), 'y');
const string = /"(?:[^"\\]|\\.)*"/y;

/** Reads the tokens of a graph in text form, and knows the line where it stands. */
export class Scanner {
  #at = 0;

  constructor(readonly text: string) {}

  /** Where the next token begins. */
  get at(): number {
    space.lastIndex = this.#at;
    space.exec(this.text);
    return (this.#at = space.lastIndex);
  }

  /** The error that something is wrong at a place, by default here. */
  error(message: string, at = this.at): DroverError {
    const line = this.text.slice(0, at).split('\n').length;
    return coreDiagnostics.error('invalid-text', {
      message: `Line ${line}: ${message}.`.replace(/\.\.$/, '.'),
      origin: { file: '', offset: at },
    });
  }

  /** Whether this stands here. */
  peek(token: string): boolean {
    return this.text.startsWith(token, this.at);
  }

  /** Whether this stands here; if so, it is behind now. */
  take(token: string): boolean {
    if (!this.peek(token)) return false;
    this.#at += token.length;
    return true;
  }

  /** Passes what must stand here. Throws `core/invalid-text`. */
  expect(token: string): void {
    if (!this.take(token))
      throw this.error(`${JSON.stringify(token)} is missing before ${this.#here()}`);
  }

  /**
   * Passes a word that must stand here, not as the beginning of a longer one. Throws
   * `core/invalid-text`.
   */
  keyword(keyword: string): void {
    if (!this.takeKeyword(keyword))
      throw this.error(`the word ${keyword} is missing before ${this.#here()}`);
  }

  /** Whether this word stands here; if so, it is behind now. */
  takeKeyword(keyword: string): boolean {
    if (this.#match(word) !== keyword) return false;
    this.#at += keyword.length;
    return true;
  }

  /** A word or a text in quotes. Throws `core/invalid-text`. */
  id(): string {
    const bare = this.#match(word);
    if (bare !== undefined) this.#at += bare.length;
    const id = bare ?? this.takeString();
    if (id === undefined) throw this.error(`a name is missing before ${this.#here()}`);
    return id;
  }

  /**
   * A text in quotes, if one stands here. Throws `core/invalid-text` when it is not a JSON string.
   */
  takeString(): string | undefined {
    const quoted = this.#match(string);
    if (quoted === undefined) return undefined;
    const value = this.#parse(quoted) as string;
    this.#at += quoted.length;
    return value;
  }

  /** A list or an object in JSON. Throws `core/invalid-text`. */
  json(): Json {
    const start = this.at;
    let depth = 0;
    let end = start;
    while (end < this.text.length) {
      string.lastIndex = end;
      const quoted = this.text[end] === '"' ? string.exec(this.text) : null;
      const c = this.text[end]!;
      if (c === '{' || c === '[') depth++;
      if (c === '}' || c === ']') depth--;
      end += quoted ? quoted[0].length : 1;
      if (depth === 0) break;
    }
    const value = this.#parse(this.text.slice(start, end));
    if (typeof value !== 'object' || value === null)
      throw this.error('a list or an object is missing', start);
    this.#at = end;
    return value;
  }

  /**
   * The parts between commas outside parentheses up to a closing bracket, which is passed; none if
   * nothing stands before it. Throws `core/invalid-text`.
   */
  until(bracket: string): string[] {
    const start = this.at;
    const end = this.text.indexOf(bracket, start);
    if (end < 0) throw this.error(`${JSON.stringify(bracket)} is missing`, start);
    this.#at = end + bracket.length;
    const parts: string[] = [];
    let depth = 0;
    let from = start;
    for (let i = start; i < end; i++) {
      if (this.text[i] === '(') depth++;
      if (this.text[i] === ')') depth--;
      if (this.text[i] !== ',' || depth > 0) continue;
      parts.push(this.text.slice(from, i).trim());
      from = i + 1;
    }
    const last = this.text.slice(from, end).trim();
    return parts.length === 0 && last === '' ? [] : [...parts, last];
  }

  /** Throws `core/invalid-text` unless nothing follows. */
  end(): void {
    if (this.at < this.text.length) throw this.error(`${this.#here()} follows the graph`);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    return pattern.exec(this.text)?.[0];
  }

  #parse(json: string): Json {
    try {
      return JSON.parse(json) as Json;
    } catch (error) {
      throw this.error(`not JSON: ${(error as Error).message}`);
    }
  }

  #here(): string {
    return this.at < this.text.length
      ? JSON.stringify(this.text.slice(this.at, this.at + 20).split('\n')[0])
      : 'the end';
  }
}
