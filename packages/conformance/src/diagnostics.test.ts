import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { allFormats } from './subjects.js';

const packages = new URL('../../', import.meta.url).pathname;

/** A catalogue of findings as its source declares it. */
interface Catalogue {
  readonly prefix: string;
  readonly names: readonly string[];
}

/** Every call in the sources of all packages, tests and generated code apart. */
function* calls(): Iterable<{ readonly call: ts.CallExpression; readonly file: ts.SourceFile }> {
  for (const name of readdirSync(packages)) {
    const folder = join(packages, name, 'src');
    for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!path.endsWith('.ts') || /\.(test|live)\.ts$|^schema\//.test(path)) continue;
      const text = readFileSync(join(folder, path), 'utf8');
      const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
      const found: ts.CallExpression[] = [];
      const visit = (node: ts.Node): void => {
        if (ts.isCallExpression(node)) found.push(node);
        ts.forEachChild(node, visit);
      };
      visit(file);
      for (const call of found) yield { call, file };
    }
  }
}

/** All texts in a piece of source. */
function textsIn(node: ts.Node): string[] {
  const texts: string[] = [];
  const visit = (each: ts.Node): void => {
    if (ts.isStringLiteral(each)) texts.push(each.text);
    ts.forEachChild(each, visit);
  };
  visit(node);
  return texts;
}

/** The catalogues by the variables that hold them, and the codes that the sources raise. */
function readSources() {
  const catalogues = new Map<string, Catalogue>();
  const raised: { readonly catalogue: string; readonly texts: readonly string[] }[] = [];
  for (const { call, file } of calls()) {
    const { expression: callee, parent } = call;
    const [first, second] = call.arguments;
    if (ts.isIdentifier(callee) && callee.text === 'defineDiagnostics') {
      if (!ts.isVariableDeclaration(parent) || !second || !ts.isObjectLiteralExpression(second))
        continue;
      catalogues.set(parent.name.getText(), {
        prefix: textsIn(first!)[0]!,
        names: second.properties.map((each) => each.name!.getText().replace(/^'|'$/g, '')),
      });
    } else if (
      first &&
      ts.isPropertyAccessExpression(callee) &&
      /Diagnostics$/.test(callee.expression.getText()) &&
      /^(error|diagnostic)$/.test(callee.name.text)
    ) {
      const stated = textsIn(first);
      // A code in a variable is among the texts of the file.
      raised.push({
        catalogue: callee.expression.getText(),
        texts: stated.length > 0 ? stated : textsIn(file),
      });
    }
  }
  return { catalogues, raised };
}

describe('the catalogues of diagnostics', () => {
  const { catalogues, raised } = readSources();

  it('are all found', () => {
    const prefixes = [...catalogues.values()].map(({ prefix }) => prefix);
    const ofFormats = allFormats.flatMap(({ diagnostics }) => diagnostics);
    expect(prefixes).toEqual(
      expect.arrayContaining(['cli', 'core', 'node', ...ofFormats.map(({ prefix }) => prefix)]),
    );
    expect(raised.length).toBeGreaterThan(100);
    for (const { catalogue } of raised) expect([...catalogues.keys()]).toContain(catalogue);
  });

  it.each([...catalogues])('%s holds nothing that no code raises', (variable, { names }) => {
    const used = new Set(
      raised.flatMap(({ catalogue, texts }) => (catalogue === variable ? texts : [])),
    );
    expect(names.filter((name) => !used.has(name))).toEqual([]);
  });

  it.each([...catalogues].filter(([variable]) => variable !== 'coreDiagnostics'))(
    '%s repeats nothing that all formats share: it raises the code of core',
    (_, { names }) => {
      const shared = new Set(catalogues.get('coreDiagnostics')!.names);
      expect(names.filter((name) => shared.has(name))).toEqual([]);
    },
  );
});
