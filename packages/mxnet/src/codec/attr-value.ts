import type { DiagnosticOrigin } from '@drover/core';
import { mxnetDiagnostics } from '../diagnostics.js';
import type { AttrSchema } from '../schema/op-schema.js';

/**
 * Value of an attribute. Integers beyond 2^53 are bigints; `None` is null; tuples and lists are
 * arrays.
 */
export type AttrValue = null | boolean | number | bigint | string | readonly AttrValue[];

const integer = /^[+-]?\d+L?$/;
const float = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?f?$/i;
const special = new Map([
  ['inf', Infinity],
  ['+inf', Infinity],
  ['-inf', -Infinity],
  ['infinity', Infinity],
  ['-infinity', -Infinity],
  ['nan', NaN],
  ['-nan', NaN],
]);
const maxDepth = 16;

function parseInteger(text: string): number | bigint {
  const digits = text.replace(/L$/, '');
  const value = Number(digits);
  return Number.isSafeInteger(value) ? value : BigInt(digits);
}

function parseFloat64(text: string): number | undefined {
  return float.test(text) ? Number(text.replace(/f$/i, '')) : special.get(text.toLowerCase());
}

/**
 * Reads a value as Python would print it: `None`, `True`, `1`, `2L`, `1e-05`, `inf`, `'text'`, `(3,
 * 3)`, `[1,2,]`, nested. A word is itself. Undefined when brackets or quotes do not match.
 */
export function parseLiteral(text: string): AttrValue | undefined {
  let at = 0;
  const blank = (): void => {
    while (at < text.length && /\s/.test(text[at]!)) at++;
  };
  const scalar = (): AttrValue | undefined => {
    const quote = text[at];
    if (quote === '"' || quote === "'") {
      const end = text.indexOf(quote, at + 1);
      if (end < 0) return undefined;
      const value = text.slice(at + 1, end);
      at = end + 1;
      return value;
    }
    const start = at;
    while (at < text.length && !'()[],'.includes(text[at]!)) at++;
    const word = text.slice(start, at).trim();
    if (word === '') return undefined;
    if (word === 'None') return null;
    if (word === 'True' || word === 'true') return true;
    if (word === 'False' || word === 'false') return false;
    return integer.test(word) ? parseInteger(word) : (parseFloat64(word) ?? word);
  };
  const value = (depth: number): AttrValue | undefined => {
    blank();
    const close = text[at] === '(' ? ')' : text[at] === '[' ? ']' : undefined;
    if (close === undefined) return scalar();
    if (depth >= maxDepth) return undefined;
    at++;
    const items: AttrValue[] = [];
    for (;;) {
      blank();
      if (text[at] === close) {
        at++;
        return items;
      }
      const item = value(depth + 1);
      if (item === undefined) return undefined;
      items.push(item);
      blank();
      if (text[at] === ',') at++;
      else if (text[at] !== close) return undefined;
    }
  };
  const result = value(0);
  blank();
  return at === text.length ? result : undefined;
}

/**
 * Reads the text of an attribute as its operator declares it. A tuple may be written as a single
 * number. Throws `mxnet/attribute`.
 */
export function parseAttr(
  text: string,
  name: string,
  schema: AttrSchema,
  origin: DiagnosticOrigin,
): AttrValue {
  const trimmed = text.trim();
  if (schema.nullable && trimmed === 'None') return null;
  const value = parseKind(trimmed, schema);
  if (value === undefined) {
    const excerpt = JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
    throw mxnetDiagnostics.error('attribute', {
      message: `Attribute ${name} is ${excerpt}, not a value of kind ${schema.kind}.`,
      origin,
    });
  }
  return value;
}

function parseKind(text: string, schema: AttrSchema): AttrValue | undefined {
  switch (schema.kind) {
    case 'bool':
      return /^(?:true|1)$/i.test(text) ? true : /^(?:false|0)$/i.test(text) ? false : undefined;
    case 'int':
      return integer.test(text) ? parseInteger(text) : undefined;
    case 'float':
      return parseFloat64(text);
    case 'tuple': {
      const value = parseLiteral(text);
      return Array.isArray(value)
        ? value
        : typeof value === 'number' || typeof value === 'bigint'
          ? [value]
          : undefined;
    }
    case 'any':
      return parseLiteral(text);
    default:
      return text;
  }
}

/**
 * The text of a value as Python prints it, which is how MXNet's front end hands attributes over:
 * `True`, `(3, 3)`, `(3,)`, `1e-05`.
 */
export function formatAttr(value: AttrValue): string {
  if (value === null) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (typeof value === 'number') return formatNumber(value);
  if (typeof value === 'bigint' || typeof value === 'string') return String(value);
  const items = value.map(formatAttr);
  return items.length === 1 ? `(${items[0]},)` : `(${items.join(', ')})`;
}

/**
 * Python's repr: scientific below 1e-4 and from 1e16 on, the exponent with a sign and two digits.
 * Integers print without a point.
 */
function formatNumber(x: number): string {
  if (Number.isNaN(x)) return 'nan';
  if (!Number.isFinite(x)) return x > 0 ? 'inf' : '-inf';
  if (Object.is(x, -0)) return '-0.0';
  const magnitude = Math.abs(x);
  if (Number.isSafeInteger(x) || (magnitude >= 1e-4 && magnitude < 1e16)) return String(x);
  const [mantissa, exponent] = x.toExponential().split('e') as [string, string];
  return `${mantissa}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
}
