import { RuleTester } from 'eslint';
import tseslint from 'typescript-eslint';
import rule from './no-open-lookup.mjs';

const tester = new RuleTester({
  languageOptions: {
    parser: tseslint.parser,
    parserOptions: {
      projectService: { allowDefaultProject: ['*.ts'] },
      tsconfigRootDir: import.meta.dirname,
    },
  },
});

const file = (code) => ({ filename: 'code.ts', code });
const lookup = (code) => ({ ...file(code), errors: [{ messageId: 'lookup' }] });
const cast = (code) => ({ ...file(code), errors: [{ messageId: 'cast' }] });

const table = 'declare const table: Record<string, number>; declare const word: string;';
const kinds = `const kinds = { one: 1, two: 2 } as const; declare const word: string;`;

tester.run('no-open-lookup', rule, {
  valid: [
    // what is known when the program is compiled
    `${table} table.one;`,
    `${table} table['one'];`,
    `${kinds} declare const kind: 'one' | 'two'; kinds[kind];`,
    `${kinds} const read = <K extends keyof typeof kinds>(key: K) => kinds[key];`,
    `declare const shape: { a: number } | { b: number }; 'a' in shape;`,
    // numbers
    `declare const list: readonly string[]; declare const i: number; list[i];`,
    `declare const text: string; declare const i: number; text[i];`,
    `const byNumber = { 1: 'one', 2: 'two' } as const; declare const n: 1 | 2; byNumber[n];`,
    // tables that answer to their own keys alone
    `declare const map: ReadonlyMap<string, number>; declare const word: string; map.get(word);`,
    `const bare = { __proto__: null, one: 1 }; declare const word: string; word in bare;`,
    `declare const bare: { readonly __proto__: null; [key: string]: number | null };
     declare const word: string; bare[word];`,
    `declare const bare: { readonly __proto__: null; [key: string]: number | null } | undefined;
     declare const word: string; bare?.[word];`,
    // objects under construction
    `${table} ({ [word]: 1 });`,
    // casts that do not claim to know a text
    `declare const value: unknown; value as 'one' | 'two';`,
    `declare const kind: 'one' | 'two' | 'three'; kind as 'one' | 'two';`,
    `declare const word: string; word as string | undefined;`,
  ].map(file),
  invalid: [
    ...[
      `${table} table[word];`,
      `${table} table[word]!;`,
      `declare const table: Record<string, number> | undefined; declare const word: string;
       table?.[word];`,
      `${table} declare const maybe: string | undefined; table[maybe ?? ''];`,
      `${table} table[\`\${word}s\`];`,
      `${table} table[word] = 1;`,
      `${table} delete table[word];`,
      `${table} word in table;`,
      `${kinds} word in kinds;`,
      `${table} const { [word]: found } = table;`,
      `declare const table: Record<string, number>; declare const word: any; table[word];`,
      // a prototype that may be there
      `declare const some: { readonly __proto__: null; [key: string]: number | null };
       declare const table: Record<string, number>; declare const word: string;
       (Math.random() > 0.5 ? some : table)[word];`,
    ].map(lookup),
    ...[
      `${kinds} kinds[word as keyof typeof kinds];`,
      `declare const word: string; word as 'one' | 'two';`,
      `declare const word: string | undefined; word as 'one' | undefined;`,
      `declare const word: string; function read<T extends object>(of: T) {
         return of[word as keyof T & string];
       }`,
    ].map(cast),
  ],
});
