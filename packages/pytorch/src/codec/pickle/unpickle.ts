import { DroverError, type Diagnostic } from '@drover/core';
import { instructionAt, memoIndex, type Instruction } from './instructions.js';
import { readLiteral, stringOf } from './literals.js';
import { broken, type PickleLimits, type PickleStream } from './pickle-stream.js';
import {
  PickleDict,
  PickleFloat,
  PickleGlobal,
  PickleObject,
  PickleSequence,
  type PickleValue,
} from './pickle-value.js';
import { faultOfCall, faultOfName, isMemberLookup, type Building } from './python-globals.js';
import { callers } from './python-modules.js';
import { scanPickle } from './scan-pickle.js';
import { maxFindings, unsafe, unsafeNames } from './unsafe-names.js';

/** A pickle as data. */
export interface Unpickled {
  readonly value: PickleValue;
  /** Where the stream goes on behind it. */
  readonly end: number;
  /** What of it must not be loaded: empty for what holds data only. */
  readonly unsafe: readonly Diagnostic[];
}

/** How a pickle is read. */
export interface UnpickleOptions {
  readonly limits: PickleLimits;
  /** What a persistent id stands for; undefined for one that the file must not hold. */
  readonly persistent: (id: PickleValue) => PickleValue | undefined;
}

/** Attributes by which Python's unpickler itself calls an object. */
const called: ReadonlySet<unknown> = new Set([
  '__setstate__',
  '__class__',
  '__reduce__',
  '__reduce_ex__',
  'append',
  'extend',
  'add',
]);

/**
 * Reads a pickle of any protocol as data: nothing is looked up, built or called, whatever it asks
 * for. The whole stream is scanned first. undefined where it ends before its STOP. Throws
 * `pytorch/pickle` and `core/limit`; `pytorch/unsafe` for a damaged one that names, as far as it
 * goes, what runs code, since Python runs it before it comes to the damage.
 */
export function unpickle(stream: PickleStream, options: UnpickleOptions): Unpickled | undefined {
  try {
    const end = scanPickle(stream, options.limits);
    if (end === undefined) return undefined;
    const machine = new Machine(stream, options);
    return { value: machine.run(), end, unsafe: machine.unsafe };
  } catch (error) {
    refuseUnsafe(unsafeNames(stream));
    throw error;
  }
}

/** Throws `pytorch/unsafe` with all that was found in some streams, if anything was. */
export function refuseUnsafe(found: readonly Diagnostic[]): void {
  if (found.length > 0) throw new DroverError('malformed', found);
}

class Machine {
  readonly unsafe: Diagnostic[] = [];
  #stack: PickleValue[] = [];
  readonly #below: PickleValue[][] = [];
  readonly #memo = new Map<number, PickleValue>();
  #at = 0;

  constructor(
    private readonly stream: PickleStream,
    private readonly options: UnpickleOptions,
  ) {}

  run(): PickleValue {
    for (;;) {
      const instruction = instructionAt(this.stream, this.#at)!;
      if (instruction.opcode.name === 'STOP') return this.#pop();
      this.#step(instruction);
      this.#at = instruction.next;
    }
  }

  #refuse(what: string, why: string): void {
    if (this.unsafe.length < maxFindings)
      this.unsafe.push(unsafe(this.stream, this.#at, `${what} ${why}`));
  }

  #broken(why: string) {
    return broken(this.stream, this.#at, why);
  }

  /** The topmost operand, as a value: nothing that calls others may be one. */
  #pop(): PickleValue {
    return this.#checked(this.#stack.pop()!);
  }

  #checked(value: PickleValue): PickleValue {
    if (value instanceof PickleGlobal && isMemberLookup(value))
      this.#refuse(value.path, 'is kept instead of being called at once');
    return value;
  }

  /** The operands above the last mark, which goes. */
  #toMark(): PickleValue[] {
    const above = this.#stack.map((value) => this.#checked(value));
    this.#stack = this.#below.pop()!;
    return above;
  }

  get #top(): PickleValue {
    return this.#stack.at(-1)!;
  }

  #push(value: PickleValue): void {
    this.#stack.push(value);
  }

  #step(instruction: Instruction): void {
    const { opcode, start, end, second } = instruction;
    const { bytes } = this.stream;
    const literal = readLiteral(this.stream, instruction, this.options.limits.maxTextBytes);
    if (literal !== undefined) return this.#push(literal);
    switch (opcode.name) {
      case 'MARK':
        this.#below.push(this.#stack);
        this.#stack = [];
        return;
      case 'POP':
        if (this.#stack.length > 0) this.#stack.pop();
        else this.#stack = this.#below.pop()!;
        return;
      case 'POP_MARK':
        this.#stack = this.#below.pop()!;
        return;
      case 'DUP':
        return this.#push(this.#top);
      case 'PUT':
      case 'BINPUT':
      case 'LONG_BINPUT':
        this.#memo.set(memoIndex(instruction, bytes)!, this.#top);
        return;
      case 'MEMOIZE':
        this.#memo.set(this.#memo.size, this.#top);
        return;
      case 'GET':
      case 'BINGET':
      case 'LONG_BINGET':
        return this.#push(this.#memo.get(memoIndex(instruction, bytes)!)!);
      case 'EMPTY_TUPLE':
        return this.#push(new PickleSequence('tuple'));
      case 'EMPTY_LIST':
        return this.#push(new PickleSequence('list'));
      case 'EMPTY_SET':
        return this.#push(new PickleSequence('set'));
      case 'EMPTY_DICT':
        return this.#push(new PickleDict());
      case 'TUPLE1':
      case 'TUPLE2':
      case 'TUPLE3': {
        const items = this.#stack.splice(-Number(opcode.takes)).map((item) => this.#checked(item));
        return this.#push(new PickleSequence('tuple', items));
      }
      case 'TUPLE':
        return this.#push(new PickleSequence('tuple', this.#toMark()));
      case 'LIST':
        return this.#push(new PickleSequence('list', this.#toMark()));
      case 'FROZENSET':
        return this.#push(new PickleSequence('frozenset', this.#toMark()));
      case 'DICT': {
        const dict = new PickleDict();
        putAll(dict, this.#toMark());
        return this.#push(dict);
      }
      case 'APPEND': {
        const item = this.#pop();
        return this.#append([item], 'list');
      }
      case 'APPENDS':
        return this.#append(this.#toMark(), 'list');
      case 'ADDITEMS':
        return this.#append(this.#toMark(), 'set');
      case 'SETITEM': {
        const value = this.#pop();
        const key = this.#pop();
        return this.#setItems([key, value]);
      }
      case 'SETITEMS':
        return this.#setItems(this.#toMark());
      case 'GLOBAL':
        return this.#global(
          stringOf(this.stream, start, second - 1),
          stringOf(this.stream, second, end),
        );
      case 'STACK_GLOBAL': {
        const name = this.#pop();
        const module = this.#pop();
        if (typeof name !== 'string' || typeof module !== 'string')
          throw this.#broken('STACK_GLOBAL finds no names');
        return this.#global(module, name);
      }
      case 'INST': {
        const args = this.#toMark();
        this.#global(stringOf(this.stream, start, second - 1), stringOf(this.stream, second, end));
        return this.#push(this.#build(this.#stack.pop()!, args, 'call'));
      }
      case 'OBJ': {
        const [type, ...args] = this.#toMark();
        return this.#push(this.#build(type!, args, 'call'));
      }
      case 'REDUCE': {
        const args = this.#argumentsOf(this.#pop());
        return this.#push(this.#build(this.#stack.pop()!, args, 'call'));
      }
      case 'NEWOBJ': {
        const args = this.#argumentsOf(this.#pop());
        return this.#push(this.#build(this.#stack.pop()!, args, 'new'));
      }
      case 'NEWOBJ_EX': {
        const keywords = this.#pop();
        const args = this.#argumentsOf(this.#pop());
        if (!(keywords instanceof PickleDict)) throw this.#broken('NEWOBJ_EX finds no dict');
        return this.#push(this.#build(this.#stack.pop()!, args, 'new', keywords));
      }
      case 'BUILD':
        return this.#setState(this.#pop());
      case 'PERSID':
        return this.#persistent(stringOf(this.stream, start, end));
      case 'BINPERSID':
        return this.#persistent(this.#pop());
      case 'EXT1':
      case 'EXT2':
      case 'EXT4':
        this.#refuse(
          `Extension ${bytes.subarray(start, end).join('.')}`,
          'stands for whatever the program registered (copyreg)',
        );
        return this.#push(null);
      case 'NEXT_BUFFER':
      case 'READONLY_BUFFER':
        throw this.#broken(`${opcode.name} asks for bytes that are not in the file`);
      default:
        // PROTO and FRAME tell nothing that changes what is read.
        return;
    }
  }

  #argumentsOf(value: PickleValue): readonly PickleValue[] {
    if (value instanceof PickleSequence && value.kind === 'tuple') return value.items;
    throw this.#broken('A call finds no tuple of arguments');
  }

  #global(module: string, name: string): void {
    const global = new PickleGlobal(module, name);
    const fault = faultOfName(global);
    if (fault !== undefined) this.#refuse(global.path, fault);
    this.#push(global);
  }

  /** What a call, or `__new__`, gives: data for what is known, a description for the rest. */
  #build(
    type: PickleValue,
    args: readonly PickleValue[],
    how: Building,
    keywords?: PickleDict,
  ): PickleValue {
    if (!(type instanceof PickleGlobal)) {
      this.#refuse(describe(type), 'is called, and is no name of a class or a function');
      return null;
    }
    if (isMemberLookup(type)) return this.#member(args);
    const fault = faultOfName(type) === undefined ? faultOfCall(type, how) : undefined;
    if (fault !== undefined) this.#refuse(type.path, `is called and ${fault}`);
    if (callers.has(type.path))
      for (const arg of args)
        if (arg instanceof PickleGlobal) {
          const inner = faultOfCall(arg, 'call');
          if (inner !== undefined) this.#refuse(arg.path, `is called by ${type.path} and ${inner}`);
        }
    const isTypeOf = args.length === 1 && args[0] === null;
    if (/^(builtins|__builtin__)\.type$/.test(type.path) && !isTypeOf)
      this.#refuse(type.path, 'is called, which makes a class');
    return new PickleObject(type, args, keywords);
  }

  /**
   * `getattr(Class, "member")`, as Python 3.11 writes members of enumerations, is the name of a
   * member; `getattr(object, "method")` is a method that was kept. Anything else that getattr is
   * called with is refused.
   */
  #member(args: readonly PickleValue[]): PickleValue {
    const [of, member] = args;
    const isPlain = typeof member === 'string' && /^_?[A-Za-z]\w*$/.test(member);
    const isOwned = of instanceof PickleGlobal || of instanceof PickleObject;
    if (args.length !== 2 || !isOwned || !isPlain) {
      this.#refuse('builtins.getattr', 'is called with something else than an object and a name');
      return null;
    }
    const owner = of instanceof PickleGlobal ? of : of.type;
    const global = new PickleGlobal(owner.module, `${owner.name}.${member}`);
    const fault = faultOfName(global);
    if (fault !== undefined) this.#refuse(global.path, fault);
    return of instanceof PickleGlobal ? global : new PickleObject(global, [of]);
  }

  #append(items: readonly PickleValue[], kind: 'list' | 'set'): void {
    const to = this.#top;
    if (
      to instanceof PickleSequence &&
      (to.kind === 'list' || to.kind === 'set') &&
      to.kind === kind
    )
      for (const item of items) to.items.push(item);
    else if (to instanceof PickleObject) for (const item of items) to.items.push(item);
    else if (to instanceof PickleGlobal)
      this.#refuse(to.path, 'is changed, which is not part of the file');
    else throw this.#broken(`There is no ${kind} to add to`);
  }

  #setItems(items: readonly PickleValue[]): void {
    const to = this.#top;
    if (to instanceof PickleDict) putAll(to, items);
    else if (to instanceof PickleObject) putAll(to.entries, items);
    else if (to instanceof PickleGlobal)
      this.#refuse(to.path, 'is changed, which is not part of the file');
    else throw this.#broken('There is no dict to put into');
  }

  #setState(state: PickleValue): void {
    const of = this.#top;
    if (of instanceof PickleGlobal) {
      this.#refuse(of.path, 'is changed, which is not part of the file');
      return;
    }
    if (!(of instanceof PickleObject)) throw this.#broken('There is no object to give a state to');
    // A state may be a pair: the attributes, and those in slots.
    const parts = state instanceof PickleSequence ? state.items : [state];
    for (const part of parts)
      if (part instanceof PickleDict)
        for (const [key, value] of part.entries())
          if (called.has(key) && (value instanceof PickleGlobal || value instanceof PickleObject))
            this.#refuse(
              value instanceof PickleGlobal ? value.path : value.type.path,
              `is put in place of ${String(key)}, which Python's unpickler calls`,
            );
    of.state = state;
  }

  #persistent(id: PickleValue): void {
    const value = this.options.persistent(id);
    if (value === undefined) this.#refuse(`Persistent id ${describe(id)}`, 'is no storage');
    this.#push(value ?? null);
  }
}

function putAll(dict: PickleDict, items: readonly PickleValue[]): void {
  for (let i = 0; i < items.length; i += 2) dict.set(items[i]!, items[i + 1]!);
}

/** A value in short, for messages. */
function describe(value: PickleValue): string {
  if (value instanceof PickleGlobal) return value.path;
  if (value instanceof PickleObject) return `What ${value.type.path} gives`;
  if (value instanceof PickleSequence) {
    const [first] = value.items;
    return `(${value.items.length === 0 ? '' : `${describe(first!)}, …`})`;
  }
  if (value instanceof PickleFloat) return String(value.value);
  if (value === null || typeof value === 'number' || typeof value === 'boolean')
    return String(value);
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : 'A value';
}
