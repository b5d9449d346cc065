import type { JsonValue } from '@drover/core/format';
import { outputCounts } from './operator.js';
import type { SymbolEntry, SymbolGraph, SymbolNode } from './symbol.js';

/**
 * The text of a symbol file as MXNet 1.9.1 writes it (nnvm's saveload_json.cc through dmlc's
 * JSONWriter): same keys, order, line breaks and escapes. `node_row_ptr` is left out when the
 * number of outputs of some operator is not known; MXNet does not need it.
 */
export function encodeSymbol(graph: SymbolGraph): string {
  const text: string[] = [];
  writeGraph(text, graph, 0);
  return text.join('');
}

type Write = (text: string[], depth: number) => void;

/** dmlc breaks a line after every element of a multi-line scope, and puts a blank before it. */
function scope(
  text: string[],
  brackets: string,
  items: readonly Write[],
  multiLine: boolean,
  depth: number,
): void {
  const indent = multiLine ? `\n${'  '.repeat(depth + 1)}` : '';
  text.push(brackets[0]!);
  items.forEach((write, i) => {
    if (i > 0) text.push(', ');
    text.push(indent);
    write(text, depth + (multiLine ? 1 : 0));
  });
  if (items.length > 0 && multiLine) text.push(`\n${'  '.repeat(depth)}`);
  text.push(brackets[1]!);
}

const raw =
  (value: string): Write =>
  (text) =>
    void text.push(value);

function member(key: string, write: Write): Write {
  return (text, depth) => {
    text.push(quote(key), ': ');
    write(text, depth);
  };
}

/**
 * dmlc escapes these five and writes every other byte as it is; JSON readers need the remaining
 * control characters escaped.
 */
function quote(value: string): string {
  const short = new Map([
    ['\r', '\\r'],
    ['\n', '\\n'],
    ['\\', '\\\\'],
    ['\t', '\\t'],
    ['"', '\\"'],
  ]);
  // eslint-disable-next-line no-control-regex -- control characters are what is escaped
  return `"${value.replace(/[\\"\u0000-\u001f]/g, (c) => short.get(c) ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`;
}

function list(items: readonly Write[], multiLine = items.length > 10): Write {
  return (text, depth) => scope(text, '[]', items, multiLine, depth);
}

function object(members: readonly Write[], multiLine = true): Write {
  return (text, depth) => scope(text, '{}', members, multiLine, depth);
}

function entry({ node, output, version }: SymbolEntry): Write {
  return raw(`[${node}, ${output}, ${version}]`);
}

function json(value: JsonValue): Write {
  if (typeof value === 'string') return raw(quote(value));
  if (Array.isArray(value)) return list((value as readonly JsonValue[]).map(json));
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(([key, item]) =>
      member(key, json(item as JsonValue)),
    );
    return object(members, members.length > 1);
  }
  return raw(String(value));
}

function writeGraph(text: string[], graph: SymbolGraph, depth: number): void {
  const variables = graph.nodes.flatMap((node, i) => (node.op === null ? [raw(String(i))] : []));
  const members = [
    member('nodes', list(graph.nodes.map(writeNode), true)),
    member('arg_nodes', list(variables)),
  ];
  const rows = rowPointers(graph);
  if (rows !== undefined)
    members.push(member('node_row_ptr', list(rows.map((row) => raw(String(row))))));
  members.push(member('heads', list(graph.heads.map(entry))));
  if (graph.attrs.size > 0) {
    const attrs = [...graph.attrs]
      .sort(byKey)
      .map(([name, { type, value }]) => member(name, list([raw(quote(type)), json(value)], false)));
    members.push(member('attrs', object(attrs, attrs.length > 1)));
  }
  object(members)(text, depth);
}

/** std::map's order. */
function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function rowPointers(graph: SymbolGraph): number[] | undefined {
  const rows = [0];
  for (const node of graph.nodes) {
    const counts = outputCounts(node);
    if (counts === undefined) return undefined;
    rows.push(rows.at(-1)! + counts.total);
  }
  return rows;
}

function writeNode(node: SymbolNode): Write {
  const members = [
    member('op', raw(quote(node.op ?? 'null'))),
    member('name', raw(quote(node.name))),
  ];
  if (node.attrs.size > 0) {
    const attrs = [...node.attrs]
      .sort(byKey)
      .map(([name, value]) => member(name, raw(quote(value))));
    members.push(member('attrs', object(attrs, attrs.length > 1)));
  }
  members.push(member('inputs', list(node.inputs.map(entry))));
  if (node.controlDeps.length > 0)
    members.push(member('control_deps', list(node.controlDeps.map((id) => raw(String(id))))));
  if (node.subgraphs.length > 0) {
    members.push(
      member(
        'subgraphs',
        list(
          node.subgraphs.map(
            (body): Write =>
              (text, depth) =>
                writeGraph(text, body, depth),
          ),
          true,
        ),
      ),
    );
  }
  return object(members);
}
