import type { Node, Pair } from 'yaml';
import { weightsDiagnostics } from './diagnostics.js';
import { starsOf } from './name-pattern.js';

/** What a user says of which tensor is whose, where nothing else tells. */
export interface Rules {
  /** What stands before a name of the source, and what is to stand there, as {@link renamed}. */
  readonly rename: ReadonlyMap<string, string>;
  /** Layers of the target, as messages name them, and those of the source. */
  readonly layers: ReadonlyMap<string, string>;
  /** Tensors of the target that belong to no layer, and those of the source. */
  readonly tensors: ReadonlyMap<string, string>;
}

const sections = ['rename', 'layers', 'tensors'] as const;

/** Longest file of rules that is read, in characters. */
const maxLength = 1024 * 1024;

/**
 * Reads rules from YAML:
 *
 *     rename:                       # names of the source; * stands for anything and is kept
 *       module.*: '*'
 *     layers:                       # layers of the target: those of the source
 *       node_MatMul_58: encoder.layer.0.attention.self.query
 *     tensors:                      # further tensors of the target: those of the source
 *       onnx::Add_354: positions.weight
 *
 * Throws `weights/rules` with line and column for what is no YAML or no rule; nothing in it is run,
 * and aliases are not followed.
 */
export async function parseRules(text: string, file: string): Promise<Rules> {
  const { isMap, isScalar, LineCounter, parseDocument } = await import('yaml');
  const lines = new LineCounter();
  const fault = (message: string, at = 0) => {
    const { line, col } = lines.linePos(at);
    return weightsDiagnostics.error('rules', {
      message: `${file}:${line}:${col}: ${message}`,
      origin: { file, offset: at },
    });
  };
  if (text.length > maxLength) throw fault('it is longer than a file of rules can be.');
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const [error] = document.errors;
  if (error)
    throw fault(`${error.message.split('\n')[0]!.replace(/ at line.*$/, '')}.`, error.pos[0]);
  const rules = { rename: new Map(), layers: new Map(), tensors: new Map() } as Record<
    (typeof sections)[number],
    Map<string, string>
  >;
  const start = (node: unknown) => (node as Node | undefined)?.range?.[0] ?? 0;
  const name = (node: unknown, what: string): string => {
    const value = isScalar(node) ? node.value : undefined;
    if (typeof value === 'string') return value;
    if (typeof value === 'number') return (node as { source?: string }).source ?? String(value);
    throw fault(`${what} is a name.`, start(node));
  };
  const root = document.contents;
  if (root === null) return rules;
  if (!isMap(root)) throw fault(`Rules are a map with ${sections.join(', ')}.`, start(root));
  for (const { key, value } of root.items as Pair[]) {
    const section = sections.find((each) => each === (isScalar(key) ? key.value : undefined));
    if (!section) throw fault(`A key is one of ${sections.join(', ')}.`, start(key));
    if (value === null || (isScalar(value) && value.value === null)) continue;
    if (!isMap(value)) throw fault(`${section} is a map of names.`, start(value ?? key));
    for (const each of value.items as Pair[])
      rules[section].set(name(each.key, 'A key'), name(each.value ?? each.key, 'A value'));
  }
  return rules;
}

/**
 * A name as rules change it, by the first that fits: `*` stands for anything, each in the new name
 * for what the one at its place in the old name stood for. Itself where none fits.
 */
export function renamed(name: string, rename: ReadonlyMap<string, string>): string {
  for (const [from, to] of rename) {
    const stars = starsOf(name, from);
    if (!stars) continue;
    let i = 0;
    return to.replaceAll('*', () => stars[i++] ?? '');
  }
  return name;
}
