import type { ArgDef, AttrValue, FunctionDef, GraphDef, NodeDef } from '../codec/graph-def.js';
import { parseInput } from '../codec/operator.js';
import { graphdefDiagnostics } from '../diagnostics.js';
import { functionOf } from './function-def.js';

/**
 * On which side of which conditions a node runs: by the reference to the condition, 1 where it must
 * be true and 0 where false.
 */
type Sides = ReadonlyMap<string, number>;

const noSides: Sides = new Map();
const dataOf = (node: NodeDef) => node.inputs.filter((input) => !input.startsWith('^'));
const canonical = (reference: string) => reference.replace(/:0$/, '');

/** The conditionals of one graph or function body, whose nodes are changed in place. */
class Conditionals {
  readonly nodes: Map<string, NodeDef>;
  readonly functions: FunctionDef[] = [];
  readonly #sides = new Map<string, Sides>();

  constructor(
    nodes: readonly NodeDef[],
    private readonly scope: string,
    private readonly file: string,
  ) {
    this.nodes = new Map(nodes.map((node) => [node.name, node]));
  }

  #parse(reference: string): { readonly name: string; readonly index: number } {
    const { node, index } = parseInput(reference, this.file);
    return { name: node, index };
  }

  /** A reference seen through nodes that only pass it on. */
  #source(reference: string): string {
    let source = canonical(reference);
    for (const seen = new Set<string>(); !seen.has(source);) {
      seen.add(source);
      const node = this.nodes.get(this.#parse(source).name);
      const [operand] = node?.op === 'Identity' ? dataOf(node) : [];
      if (operand !== undefined) source = canonical(operand);
    }
    return source;
  }

  /**
   * The condition of a Switch; undefined for other nodes. Throws `graphdef/graph` when it has none.
   */
  #gate(
    node: NodeDef | undefined,
  ): { readonly condition: string; readonly data: string } | undefined {
    if (node?.op !== 'Switch') return undefined;
    const [data, condition] = dataOf(node);
    if (data !== undefined && condition !== undefined)
      return { condition: this.#source(condition), data: canonical(data) };
    throw graphdefDiagnostics.error('graph', {
      message: `Switch ${node.name} has no condition.`,
      origin: { file: this.file, node: node.name, op: 'Switch' },
    });
  }

  /** Nodes, each after those it needs, control dependencies included. */
  ordered(): readonly NodeDef[] {
    const order: NodeDef[] = [];
    const seen = new Set<string>();
    const open = new Set<string>();
    for (const root of this.nodes.keys()) {
      const stack = [root];
      while (stack.length > 0) {
        const name = stack.at(-1)!;
        const node = this.nodes.get(name);
        const waiting =
          node && !open.has(name)
            ? node.inputs
                .map((input) => this.#parse(input).name)
                .filter((each) => this.nodes.has(each) && !seen.has(each) && !open.has(each))
            : [];
        open.add(name);
        if (waiting.length > 0) stack.push(...waiting);
        else {
          stack.pop();
          if (!seen.has(name) && node) order.push(node);
          seen.add(name);
        }
      }
    }
    return order;
  }

  /** The sides on which the result of a reference exists. */
  #sidesAt(reference: string): Sides {
    const { name, index } = this.#parse(reference);
    const node = this.nodes.get(name);
    const sides = this.#sides.get(name) ?? noSides;
    const gate = reference.startsWith('^') ? undefined : this.#gate(node);
    return gate ? new Map([...sides, [gate.condition, index]]) : sides;
  }

  /** Takes note of the sides of a node from those of what it needs. */
  #note(node: NodeDef): void {
    this.#sides.set(node.name, new Map(node.inputs.flatMap((input) => [...this.#sidesAt(input)])));
  }

  /**
   * The condition whose two sides come together in a Merge, and the references for true and for
   * false.
   */
  #condition(
    merge: NodeDef,
  ):
    | { readonly condition: string; readonly branches: readonly [yes: string, no: string] }
    | undefined {
    const [first, second, ...more] = dataOf(merge);
    if (first === undefined || second === undefined || more.length > 0) return undefined;
    const [a, b] = [this.#sidesAt(first), this.#sidesAt(second)];
    const condition = [...a].find(([each, side]) => b.get(each) === 1 - side)?.[0];
    return condition === undefined
      ? undefined
      : { condition, branches: a.get(condition) === 1 ? [first, second] : [second, first] };
  }

  /** The nodes of a branch, and the references that it takes from outside. */
  #branch(
    result: string,
    condition: string,
  ): { readonly inside: ReadonlyMap<string, NodeDef>; readonly args: readonly string[] } {
    const inside = new Map<string, NodeDef>();
    const args = new Set<string>();
    const stack = [result];
    for (let reference = stack.pop(); reference !== undefined; reference = stack.pop()) {
      const { name } = this.#parse(reference);
      const node = this.nodes.get(name);
      const gate = this.#gate(node);
      const isGate = gate?.condition === condition;
      if (node && !isGate && this.#sidesAt(reference).has(condition)) {
        if (inside.has(name)) continue;
        inside.set(name, node);
        stack.push(...dataOf(node));
      } else args.add(isGate ? gate.data : canonical(reference));
    }
    return { inside, args: [...args] };
  }

  /** Puts a StatelessIf in the place of Merge nodes that one condition decides. */
  #raise(
    condition: string,
    merges: readonly { readonly merge: NodeDef; readonly branches: readonly [string, string] }[],
  ): void {
    const parts = [0, 1].map((k) =>
      merges.map(({ branches }) => this.#branch(branches[k as 0 | 1], condition)),
    );
    const args = [...new Set(parts.flat().flatMap((part) => part.args))];
    const name = `${merges[0]!.merge.name}/if`;
    const argOf = (reference: string) => `branch_arg_${args.indexOf(canonical(reference))}`;
    const rename = (reference: string) => {
      const node = this.nodes.get(this.#parse(reference).name);
      const gate = this.#gate(node);
      const isGate = gate?.condition === condition;
      const outer = isGate ? gate.data : canonical(reference);
      return args.includes(outer) && (isGate || !this.#sidesAt(reference).has(condition))
        ? argOf(outer)
        : reference;
    };
    const [then, otherwise] = parts.map((branch, k): AttrValue => {
      const inside = new Map(branch.flatMap((part) => [...part.inside]));
      const nodes = [...inside.values()].map((node) => ({
        ...node,
        inputs: dataOf(node).map(rename),
      }));
      const functionName = `${this.scope}${name}_${k === 0 ? 'then' : 'else'}`;
      const parameters = args.map((_, i): ArgDef => ({
        name: `branch_arg_${i}`,
        extra: new Map(),
      }));
      this.functions.push(
        functionOf(
          functionName,
          parameters,
          nodes,
          merges.map(({ branches }) => rename(branches[k as 0 | 1])),
        ),
      );
      return { kind: 'func', value: { name: functionName, attrs: new Map() } };
    });
    const types = merges.map(({ merge }) => {
      const type = merge.attrs.get('T');
      return type?.kind === 'type' ? type.value : 'DT_INVALID';
    });
    const attrs = new Map<string, AttrValue>([
      ['then_branch', then!],
      ['else_branch', otherwise!],
      ['Tout', { kind: 'list', of: 'type', values: types }],
    ]);
    this.nodes.set(name, {
      name,
      op: 'StatelessIf',
      inputs: [condition, ...args],
      device: '',
      attrs,
      extra: new Map(),
    });
    merges.forEach(({ merge }, i) =>
      this.nodes.set(merge.name, { ...merge, op: 'Identity', inputs: [`${name}:${i}`] }),
    );
  }

  /** Takes the conditionals out, inner ones first. Merge nodes that no condition explains stay. */
  run(): void {
    for (const node of this.ordered()) {
      const found = node.op === 'Merge' ? this.#condition(node) : undefined;
      if (!found) {
        this.#note(node);
        continue;
      }
      this.#raise(found.condition, [{ merge: node, branches: found.branches }]);
      const outer = new Map(
        [...found.branches.flatMap((each) => [...this.#sidesAt(each)])].filter(
          ([each]) => each !== found.condition,
        ),
      );
      this.#sides.set(node.name, outer);
      this.#sides.set(`${node.name}/if`, outer);
    }
  }
}

/**
 * Turns conditionals that are written with Switch and Merge (control flow version 1) into
 * StatelessIf nodes with functions, in the graph and in its functions.
 */
export function raiseConditionals(graph: GraphDef, file: string): GraphDef {
  const isOne = ({ op }: NodeDef) => op === 'Merge';
  const functions: FunctionDef[] = [];
  const raise = (nodes: readonly NodeDef[], scope: string): readonly NodeDef[] => {
    if (!nodes.some(isOne)) return nodes;
    const work = new Conditionals(nodes, scope, file);
    work.run();
    functions.push(...work.functions);
    return [...work.nodes.values()];
  };
  const nodes = raise(graph.nodes, '');
  const own = graph.functions.map((each) => ({
    ...each,
    nodes: raise(each.nodes, `${each.signature.name}/`),
  }));
  return { ...graph, nodes, functions: [...own, ...functions] };
}
