import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { addDim, floorDivDim, maxDim, minDim, mulDim, subDim, symbol, type Dim } from './dim.js';

/**
 * Whether a text can stand as the name of a dimension in an expression; other names are to be
 * escaped by {@link dimName}.
 */
const identifier = /^[A-Za-z_?][\w.:/?]*/;

const operations: ReadonlyMap<string, (a: Dim, b: Dim) => Dim> = new Map([
  ['floordiv', floorDivDim],
  ['min', minDim],
  ['max', maxDim],
]);

/**
 * A name for a dimension, made from a foreign one: characters that expressions use become `_`, and
 * so does `?`, which marks dimensions that depend on data.
 */
export function dimName(foreign: string): string {
  const safe = foreign.replace(/[^\w.:/]/g, '_');
  return identifier.test(safe) ? safe : `_${safe}`;
}

/** Parses the text of a dimension: what `dimKey` prints. Throws `core/invalid-text`. */
export function parseDim(text: string): Dim {
  let at = 0;
  const fail = (): never => {
    throw coreDiagnostics.error('invalid-text', {
      message: `${JSON.stringify(text)} is not a dimension (at character ${at}).`,
      origin: { file: '', offset: at },
    });
  };
  const take = (token: string): boolean =>
    text.startsWith(token, at) && ((at += token.length), true);
  const factor = (): Dim => {
    const number = /^\d+/.exec(text.slice(at));
    if (number) return ((at += number[0].length), Number(number[0]));
    const name = identifier.exec(text.slice(at));
    if (!name) return fail();
    at += name[0].length;
    if (!take('(')) return symbol(name[0]);
    const left = sum();
    if (!take(',')) fail();
    const right = sum();
    if (!take(')')) fail();
    const operation = operations.get(name[0]);
    return operation ? operation(left, right) : fail();
  };
  const product = (): Dim => {
    let value = factor();
    while (take('*')) value = mulDim(value, factor());
    return value;
  };
  const sum = (): Dim => {
    let value: Dim = take('-') ? mulDim(product(), -1) : product();
    for (;;) {
      if (take('+')) value = addDim(value, product());
      else if (take('-')) value = subDim(value, product());
      else return value;
    }
  };
  const value = sum();
  return at === text.length ? value : fail();
}
