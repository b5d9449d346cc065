// What each entry of each package exports, as API Extractor reports it from the built declarations.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { CompilerState, Extractor, ExtractorConfig } from '@microsoft/api-extractor';

const root = resolve(import.meta.dirname, '..');

/** Every entry of every published package: its package, its declarations and its page. */
const entries = readdirSync(join(root, 'packages')).flatMap((name) => {
  const folder = join(root, 'packages', name);
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  if (manifest.private) return [];
  return Object.entries(manifest.exports)
    .filter(([, targets]) => targets.types)
    .map(([key, { types }]) => ({
      folder,
      file: join(folder, types),
      page: `${name}${key.slice(1).replaceAll('/', '-')}.md`,
    }));
});

const reportOf = (page) => page.replace(/\.md$/, '.api.md');

const configOf = ({ folder, file, page }, scratch) =>
  ExtractorConfig.prepare({
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: file,
      newlineKind: 'lf',
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: 'es2022',
            module: 'nodenext',
            moduleResolution: 'nodenext',
            lib: ['es2023', 'dom'],
            types: [],
            strict: true,
            skipLibCheck: true,
          },
          files: [file],
        },
      },
      apiReport: {
        enabled: true,
        reportFileName: reportOf(page),
        reportFolder: scratch,
        reportTempFolder: join(scratch, 'temp'),
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(folder, 'package.json'),
  });

/** The compiler writes an inferred union in an order that other code may change. */
const inOneOrder = (report) =>
  report
    .replace(/^(?!\s*(?:\/\/|\*|import\b|export type \{)).*$/gm, doubleQuoted)
    .replace(/"[^"\n]*"(?: \| "[^"\n]*")+/g, (union) => union.split(' | ').sort().join(' | '));

/** Which quotes a literal has in a declaration depends on which file the compiler saw first. */
const doubleQuoted = (line) => line.replace(/'([^'"\n]*)'/g, '"$1"');

/** Names that a report says are exported. */
const exportedIn = (report) =>
  [...report.matchAll(/^export (?:\{ \w+ as (\w+) \}|(?:abstract )?\w+ (\w+))/gm)].map(
    ([, renamed, name]) => renamed ?? name,
  );

/** API Extractor numbers a name that is a global, too: `Report_2`. */
const plain = (name) => name.replace(/_\d+$/, '');

/**
 * The reports by the names of their pages, and what is wrong with the entries: an exported symbol
 * without a docstring, a type that a signature speaks of and no entry of its package exports, a
 * link in a docstring that leads nowhere, a name in two entries.
 */
export function apiReports() {
  const scratch = mkdtempSync(join(tmpdir(), 'drover-api-'));
  try {
    const configs = entries.map((entry) => configOf(entry, scratch));
    const compilerState = CompilerState.create(configs[0], {
      additionalEntryPoints: entries.map(({ file }) => file),
    });
    const pages = new Map();
    /** By the folders of packages: which page has each name, and the names that one misses. */
    const homes = new Map();
    const missed = [];
    const faults = [];
    for (const [i, { folder, page }] of entries.entries()) {
      const said = (message) => {
        message.handled = true;
        const [, name] = /(?:The symbol|does not have an export) "(\w+)"/.exec(message.text) ?? [];
        if (
          message.messageId === 'ae-forgotten-export' ||
          message.messageId === 'ae-unresolved-link'
        )
          missed.push({ folder, page, name: plain(name), message });
      };
      Extractor.invoke(configs[i], { compilerState, localBuild: true, messageCallback: said });
      const report = inOneOrder(readFileSync(join(scratch, reportOf(page)), 'utf8'));
      pages.set(page, report);
      const home = homes.get(folder) ?? homes.set(folder, new Map()).get(folder);
      for (const name of exportedIn(report)) {
        const other = home.get(name);
        if (other !== undefined && other !== page)
          faults.push(`${page}: ${name} is in ${other}, too.`);
        home.set(name, page);
      }
      for (const [, declaration] of report.matchAll(/^\/\/ .*\(undocumented\)\n(.*)/gm))
        faults.push(`${page}: no docstring: ${declaration}`);
    }
    for (const { folder, page, name, message } of missed) {
      if (homes.get(folder).has(name)) continue;
      const place = `${relative(root, message.sourceFilePath)}:${message.sourceFileLine}`;
      faults.push(`${page}: ${message.text} (${place})`);
    }
    return { pages, faults };
  } finally {
    rmSync(scratch, { recursive: true });
  }
}
