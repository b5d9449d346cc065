import { instructionAt, memoIndex, type Instruction } from './instructions.js';
import { beyond, broken, type PickleLimits, type PickleStream } from './pickle-stream.js';

const texts: ReadonlySet<string> = new Set([
  'STRING',
  'UNICODE',
  'FLOAT',
  'PERSID',
  'GLOBAL',
  'INST',
]);
const integers: ReadonlySet<string> = new Set(['INT', 'LONG', 'LONG1', 'LONG4', 'GET', 'PUT']);
const highestProtocol = 5;

/** Where the stack and the memo of a stream are, without anything on them. */
class Heights {
  /** Operands above the last mark. */
  #height = 0;
  /** Operands above the mark before, for each mark. */
  readonly #below: number[] = [];
  readonly #memo = new Set<number>();

  /** Follows one instruction; gives why it cannot be, in words that stand before the place. */
  follow(instruction: Instruction, bytes: Uint8Array): string | undefined {
    const { name, takes, needs, gives } = instruction.opcode;
    if (name === 'MARK') {
      this.#below.push(this.#height);
      this.#height = 0;
      return undefined;
    }
    // Python takes the mark away where nothing stands above it.
    if (name === 'POP' && this.#height === 0) return this.#toMark(name);
    if (takes === 'mark') {
      const above = this.#height;
      if (name === 'OBJ' && above === 0) return 'OBJ finds no class';
      if ((name === 'DICT' || name === 'SETITEMS') && above % 2 === 1)
        return `${name} finds a key without a value`;
      const fault = this.#toMark(name);
      if (fault !== undefined) return fault;
    } else {
      if (this.#height < takes + needs) return `${name} finds no operand`;
      this.#height -= takes;
    }
    if (this.#height < needs) return `${name} finds no operand`;
    this.#height += gives;
    return this.#remember(instruction, bytes);
  }

  #toMark(name: string): string | undefined {
    const below = this.#below.pop();
    if (below === undefined) return `${name} finds no mark`;
    this.#height = below;
    return undefined;
  }

  #remember(instruction: Instruction, bytes: Uint8Array): string | undefined {
    const { name } = instruction.opcode;
    if (name === 'MEMOIZE') this.#memo.add(this.#memo.size);
    else if (/(PUT|GET)$/.test(name)) {
      const index = memoIndex(instruction, bytes);
      if (index === undefined) return `${name} has no number`;
      if (name.endsWith('PUT')) this.#memo.add(index);
      else if (!this.#memo.has(index)) return `${name} asks for ${index}, which was not kept,`;
    }
    return undefined;
  }
}

/**
 * Goes over a pickle without evaluating it: every opcode is known and has its argument, nothing is
 * taken from the stack or the memo that is not there, and lengths and counts keep to the limits.
 * Gives where the stream goes on behind STOP; undefined where it ends before. Throws
 * `pytorch/pickle` and `core/limit`.
 */
export function scanPickle(stream: PickleStream, limits: PickleLimits): number | undefined {
  const heights = new Heights();
  for (let at = 0, count = 1; ; count++) {
    const instruction = instructionAt(stream, at);
    if (!instruction) return undefined;
    const { start, end, next, opcode } = instruction;
    const { name } = opcode;
    if (count > limits.maxOpcodes)
      throw beyond(stream, at, `There are more than ${limits.maxOpcodes} opcodes (maxOpcodes)`);
    if (texts.has(name) && end - start > limits.maxTextBytes)
      throw beyond(stream, at, `A text has ${end - start} bytes (maxTextBytes)`);
    if (integers.has(name) && end - start > limits.maxIntegerBytes)
      throw beyond(stream, at, `An integer has ${end - start} bytes (maxIntegerBytes)`);
    if (name === 'PROTO' && stream.bytes[start]! > highestProtocol)
      throw broken(stream, at, `There is no protocol ${stream.bytes[start]}`);
    const fault = heights.follow(instruction, stream.bytes);
    if (fault !== undefined) throw broken(stream, at, fault);
    if (name === 'STOP') return next;
    at = next;
  }
}
