import { DroverError } from '../diagnostics/diagnostic.js';
import { JsonCursor, parseJson, readJson } from './json.js';
import { memorySource } from './memory.js';

const code = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof DroverError) return error.diagnostics[0]!.code;
    throw error;
  }
  return 'none';
};

test('a place is named by its JSON pointer (the escapes of RFC 6901, section 3)', () => {
  const cursor = new JsonCursor(parseJson('{"a/b": [{"m~n": 8}]}', 'x.json'), 'x.json');
  expect(cursor.require('a/b').items()[0]!.require('m~n').pointer).toBe('/a~1b/0/m~0n');
});

test('wrong types and missing members are typed errors', () => {
  const cursor = new JsonCursor(parseJson('{"a": "1", "b": 1.5, "n": null}', 'x.json'), 'x.json');
  expect(code(() => cursor.require('a').number())).toBe('core/json');
  expect(code(() => cursor.require('b').integer())).toBe('core/json');
  expect(code(() => cursor.require('c'))).toBe('core/json');
  expect(code(() => cursor.items())).toBe('core/json');
  expect(cursor.get('n')).toBeUndefined();
});

test('`__proto__` and inherited names are plain keys', () => {
  const cursor = new JsonCursor(parseJson('{"__proto__": {"polluted": 1}}', 'x.json'), 'x.json');
  expect(cursor.members().map(([key]) => key)).toEqual(['__proto__']);
  expect(cursor.get('toString')).toBeUndefined();
  expect(cursor.require('__proto__').require('polluted').integer()).toBe(1);
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
});

test('depth is counted outside strings and is a limit', () => {
  expect(parseJson('["[[[[\\"[["]', 'x.json', { maxDepth: 1 })).toEqual(['[[[["[[']);
  expect(code(() => parseJson('[[0]]', 'x.json', { maxDepth: 1 }))).toBe('core/limit');
  expect(code(() => parseJson('['.repeat(3_000_000), 'x.json'))).toBe('core/limit');
});

test('two members of one name are an error, in whichever way the name is written', () => {
  const two = (text: string) => code(() => parseJson(text, 'x.json'));
  expect(two('{"a": 1, "b": [{"c": 2}], "a": 3}')).toBe('core/duplicate');
  expect(two('[{}, {"a": {"b": 1, "\\u0062" : 2}}]')).toBe('core/duplicate');
  expect(two('{"__proto__": 1, "__proto__": 2}')).toBe('core/duplicate');
  expect(two('{"a": {"a": {"a": [{"a": 1}, {"a": 2}]}}, "b": "a", "c": ["a", "a"]}')).toBe('none');
  expect(two('{"a\\"": 1, "a": 2, "\\"a": ":"}')).toBe('none');
  expect(two('{"a": 1, "a\\q": 2, "a\\q": 3}')).toMatch(/^core\/(json|duplicate)$/);
  expect(two('{"a": 1, "b": 2, "a')).toBe('core/json');
  expect(two('}}}{"a":1,"b":2}')).toBe('core/json');
});

test('truncated text, bytes that are not UTF-8 and long files are typed errors', async () => {
  expect(code(() => parseJson('{"a"', 'x.json'))).toBe('core/json');
  const source = memorySource('x.json', new Map([['x.json', new Uint8Array([0x22, 0xff, 0x22])]]));
  await expect(readJson(source)).rejects.toMatchObject({ failure: 'malformed' });
  await expect(readJson(source, { maxBytes: 2 })).rejects.toMatchObject({ failure: 'limit' });
});
