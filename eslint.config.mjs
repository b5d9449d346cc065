import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import js from '@eslint/js';
import nx from '@nx/eslint-plugin';
import prettier from 'eslint-config-prettier';
import jsdoc from 'eslint-plugin-jsdoc';
import * as jsonc from 'jsonc-eslint-parser';
import tseslint from 'typescript-eslint';
import { mayImport, selfContained } from './tools/boundaries.mjs';
import noOpenLookup from './tools/eslint/no-open-lookup.mjs';

/** A pattern for the packages that have one of some tags. */
const tagged = (...kinds) => {
  const folder = new URL('packages/', import.meta.url);
  const tagsOf = (name) =>
    JSON.parse(readFileSync(new URL(`${name}/package.json`, folder), 'utf8')).nx.tags;
  const names = readdirSync(folder).filter((name) =>
    kinds.some((kind) => tagsOf(name).includes(`type:${kind}`)),
  );
  return `packages/{${names.join(',')}}`;
};

const typed = Object.assign(
  {},
  js.configs.recommended.rules,
  ...tseslint.configs.recommended.map((config) => config.rules),
);

// Who may import whom. Only apps see everything, so no format can reach another one.
const boundaries = (external) => [
  'error',
  {
    // the command loads formats and runtimes on demand, and shares their types
    checkDynamicDependenciesExceptions: ['.*'],
    depConstraints: Object.entries(mayImport).map(([kind, kinds]) => ({
      sourceTag: `type:${kind}`,
      onlyDependOnLibsWithTags: kinds.map((each) => (each === '*' ? each : `type:${each}`)),
      ...(selfContained.includes(kind) && external),
    })),
  },
];

const bareError = {
  selector: ":matches(NewExpression, CallExpression)[callee.name='Error']",
  message: 'Use a typed error of @drover/core: it carries a code, a help text and the origin.',
};

const unnamedExports = {
  selector: 'ExportAllDeclaration[exported=null]',
  message: 'Name what is exported: docs/reference/api shows what each entry has.',
};

// Portable packages are compiled with the web's types, for what Node has as well (Blob,
// TextDecoder). These are on one side only.
const onOneSideOnly = [
  ...[
    'window',
    'document',
    'navigator',
    'location',
    'localStorage',
    'sessionStorage',
    'XMLHttpRequest',
    'FileReader',
    'Image',
    'alert',
    'self',
  ],
  ...[
    'process',
    'Buffer',
    'global',
    '__dirname',
    '__filename',
    'require',
    'module',
    'setImmediate',
  ],
];
const nodeModules = {
  paths: builtinModules.map((name) => ({
    name,
    message: 'Only packages/node, cli and conformance use Node modules.',
  })),
  patterns: [
    { group: ['node:*'], message: 'Only packages/node, cli and conformance use Node modules.' },
  ],
};
const restricted = (message, regex) => ({
  'no-restricted-imports': [
    'error',
    { ...nodeModules, patterns: [...nodeModules.patterns, { regex, message }] },
  ],
});

// What stands inside a format or a dialect, from within outwards: each knows only those before it.
const layers = ['schema', 'codec', 'vocabulary', 'ops', 'rules', '(import|export)', 'format'];
const inward = (files, forbidden, root = '(\\.\\./)+') => ({
  files: [`${tagged('format', 'dialect')}/src/${files}`],
  ignores: ['**/*.{test,live}.ts'],
  rules: restricted(
    'schema <- codec <- vocabulary <- ops <- rules.ts <- import, export <- format.ts',
    `^${root}(${forbidden.join('|')})(/|\\.js$)`,
  ),
});

// What each folder of core may import beside itself; ARCHITECTURE.md says what they are.
const inCore = {
  diagnostics: [],
  bytes: ['diagnostics'],
  tensor: ['diagnostics', 'bytes'],
  typing: ['diagnostics', 'tensor'],
  constraints: ['diagnostics', 'tensor', 'typing'],
  numeric: ['diagnostics', 'tensor', 'typing'],
  // A node holds its operator, and an operator's decomposition builds nodes.
  graph: ['diagnostics', 'tensor', 'ops'],
  building: ['diagnostics', 'tensor', 'typing', 'numeric', 'graph', 'ops'],
  ops: ['diagnostics', 'tensor', 'typing', 'constraints', 'numeric', 'graph', 'building'],
  analysis: ['diagnostics', 'tensor', 'graph', 'ops'],
  model: ['diagnostics', 'bytes', 'tensor', 'graph', 'ops'],
  passes: ['diagnostics', 'tensor', 'typing', 'numeric', 'graph', 'building', 'ops', 'analysis'],
};
const coreFolders = Object.entries(inCore).map(([folder, inner]) => ({
  files: [`packages/core/src/${folder}/**/*.ts`],
  ignores: ['**/*.test.ts'],
  rules: restricted(
    `${folder} imports ${inner.join(', ') || 'nothing else of core'}.`,
    `^(\\.\\./)+(${[...Object.keys(inCore), 'format']
      .filter((name) => name !== folder && !inner.includes(name))
      .join('|')})\\b`,
  ),
}));

// A loaded machine is slow: tests count steps (countWork of packages/conformance) instead of time.
const noTime = [
  ['performance', 'now'],
  ['process', 'hrtime'],
  ['process', 'cpuUsage'],
  ['process', 'uptime'],
  ['console', 'time'],
].map(([object, property]) => ({ object, property, message: 'No test measures time.' }));

const dependencies = { buildTargets: ['build'], checkVersionMismatches: false };

export default [
  { ignores: ['**/dist', '**/bundle', '**/node_modules', 'fixtures', '.nx'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.mjs', 'packages/cli/bin/*.js'],
    languageOptions: {
      globals: Object.fromEntries(
        Object.getOwnPropertyNames(globalThis).map((name) => [name, 'readonly']),
      ),
    },
    rules: js.configs.recommended.rules,
  },
  {
    files: ['tools/**/*.test.mjs'],
    languageOptions: {
      globals: Object.fromEntries(
        ['afterAll', 'beforeAll', 'expect', 'test'].map((name) => [name, 'readonly']),
      ),
    },
  },
  {
    files: ['packages/*/package.json'],
    languageOptions: { parser: jsonc },
    plugins: { '@nx': nx },
    rules: {
      '@nx/dependency-checks': [
        'error',
        {
          ...dependencies,
          ignoredFiles: ['{projectRoot}/**/*.{test,live}.ts', '{projectRoot}/*.mjs'],
        },
      ],
    },
  },
  {
    // Its dependencies are those of its tests, which the rule does not see.
    files: ['packages/conformance/package.json'],
    rules: {
      '@nx/dependency-checks': ['error', { ...dependencies, checkObsoleteDependencies: false }],
    },
  },
  {
    files: ['packages/*/src/**/*.ts'],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    plugins: { '@nx': nx, '@typescript-eslint': tseslint.plugin },
    rules: {
      ...typed,
      'no-undef': 'off',
      'no-console': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
      ],
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false },
      ],
      '@nx/enforce-module-boundaries': boundaries({}),
    },
  },
  {
    files: ['packages/*/src/**/*.ts'],
    ignores: ['**/*.{test,live}.ts', '**/src/schema/**', '**/*.generated.ts'],
    plugins: { jsdoc, drover: { rules: { 'no-open-lookup': noOpenLookup } } },
    rules: {
      'drover/no-open-lookup': 'error',
      '@nx/enforce-module-boundaries': boundaries({ bannedExternalImports: ['*'] }),
      'no-restricted-syntax': ['error', bareError, unnamedExports],
      'jsdoc/require-jsdoc': [
        'error',
        {
          publicOnly: { esm: true, cjs: false },
          enableFixer: false,
          require: { FunctionDeclaration: true, ClassDeclaration: true },
          contexts: [
            'TSInterfaceDeclaration',
            'TSTypeAliasDeclaration',
            // An op documents itself in its `summary`.
            "ExportNamedDeclaration > VariableDeclaration:not([declarations.0.init.callee.name='defineOp'])",
          ],
        },
      ],
    },
  },
  {
    files: ['packages/*/{src,testing}/**/*.{test,live}.ts', 'packages/conformance/src/**/*.ts'],
    rules: {
      'no-restricted-properties': ['error', ...noTime],
      'no-restricted-globals': ['error', { name: 'Date', message: 'No test measures time.' }],
    },
  },
  {
    files: [
      `${tagged('core', 'container', 'dialect', 'format', 'parity', 'runtime', 'weights')}/src/**/*.ts`,
    ],
    ignores: [
      '**/*.{test,live}.ts',
      'packages/runtimes/src/mxnet/**',
      'packages/runtimes/src/process/**',
    ],
    rules: {
      'no-restricted-imports': ['error', nodeModules],
      'no-restricted-globals': ['error', ...onOneSideOnly],
    },
  },
  ...coreFolders,
  ...['schema', 'codec', 'vocabulary', 'ops'].map((layer, i) =>
    inward(`${layer}/**/*.ts`, layers.slice(i + 1)),
  ),
  inward('rules.ts', layers.slice(5), '\\./'),
  inward('import/**/*.ts', ['export', 'format']),
  inward('export/**/*.ts', ['import', 'format']),
  {
    files: ['packages/cli/src/**/*.ts', 'packages/conformance/src/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  prettier,
  {
    files: ['packages/*/src/**/*.ts', '**/*.mjs', 'packages/cli/bin/*.js'],
    ignores: ['**/src/schema/**', '**/*.generated.ts'],
    rules: {
      // Prettier breaks the code, and its configuration puts this rule out: it stands behind it,
      // for the comments. Texts stay whole: they are looked for.
      'max-len': [
        'error',
        {
          code: 100,
          ignoreUrls: true,
          ignoreStrings: true,
          ignoreTemplateLiterals: true,
          ignoreRegExpLiterals: true,
        },
      ],
    },
  },
];
