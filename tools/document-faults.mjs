import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The documents that people read first: those of the root and of each package. */
const documentsOf = (root) => [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(root, 'packages')).map((name) => `packages/${name}/README.md`),
];

/** Links of a document to files that are not there. */
const brokenLinks = (root, path, text) =>
  [...text.matchAll(/\]\((?!https?:)([^)#\s]+)[^)]*\)/g)]
    .map(([, target]) => target)
    .filter((target) => !existsSync(join(root, dirname(path), target)))
    .map((target) => `${path}: links to ${target}, which is not there.`);

/** Names that an example imports from a package that does not export them. */
async function missingNames(path, text) {
  const faults = [];
  for (const [, names, from] of text.matchAll(/^import \{([^}]*)\} from '(@drover\/[^']*)'/gm)) {
    const exported = await import(from);
    for (const name of names.split(',').map((each) => each.trim()))
      if (name && !name.startsWith('type ') && !(name in exported))
        faults.push(`${path}: imports ${name} from ${from}, which does not export it.`);
  }
  return faults;
}

/** What documents say that is not so: links that lead nowhere, examples that cannot run. */
export async function documentFaults(root) {
  const faults = [];
  for (const path of documentsOf(root)) {
    const text = readFileSync(join(root, path), 'utf8');
    faults.push(...brokenLinks(root, path, text), ...(await missingNames(path, text)));
  }
  return faults;
}
