import type { ArgDef, AttrValue, FunctionDef, GraphDef, NodeDef } from '../codec/graph-def.js';
import type { DataType } from '../codec/data-type.js';
import { parseInput } from '../codec/operator.js';
import { graphdefDiagnostics } from '../diagnostics.js';
import { functionOf } from './function-def.js';

/** The frame in which a node runs: that of a loop, within that of the loop around it. */
interface Frame {
  readonly name: string;
  readonly parent: Frame | undefined;
  readonly depth: number;
}

const textOf = (value: AttrValue | undefined): string =>
  value?.kind === 's'
    ? typeof value.value === 'string'
      ? value.value
      : new TextDecoder().decode(value.value)
    : '';
const depthOf = (frame: Frame | undefined): number => frame?.depth ?? 0;

/** The graph while loops are taken out of it, innermost first. */
class Frames {
  readonly nodes: Map<string, NodeDef>;
  readonly functions: FunctionDef[];

  constructor(
    graph: GraphDef,
    readonly file: string,
  ) {
    this.nodes = new Map(graph.nodes.map((node) => [node.name, node]));
    this.functions = [...graph.functions];
  }

  /** The node that a reference means, and which of its outputs. */
  target(reference: string): {
    readonly node: NodeDef;
    readonly index: number;
    readonly control: boolean;
  } {
    const { node: name, index, control } = parseInput(reference, this.file);
    const node = this.nodes.get(name);
    if (node) return { node, index, control };
    throw graphdefDiagnostics.error('graph', {
      message: `Nothing makes the tensor ${JSON.stringify(reference)}.`,
      origin: { file: this.file },
    });
  }

  data(node: NodeDef): readonly string[] {
    return node.inputs.filter((input) => !input.startsWith('^'));
  }

  /** An operand that the operator always has. Throws `graphdef/graph` when it is missing. */
  operand(node: NodeDef, index: number): string {
    const reference = this.data(node)[index];
    if (reference !== undefined) return reference;
    throw graphdefDiagnostics.error('graph', {
      message: `${node.op} ${node.name} has no operand ${index}.`,
      origin: { file: this.file, node: node.name, op: node.op },
    });
  }

  /**
   * The frame of each node. A node runs in the innermost frame of its operands; back edges tell
   * nothing that the way in does not.
   */
  frames(): ReadonlyMap<NodeDef, Frame | undefined> {
    const found = new Map<NodeDef, Frame | undefined>();
    const byName = new Map<string, Frame>();
    const enter = (name: string, parent: Frame | undefined): Frame => {
      const known = byName.get(name);
      if (known) return known;
      const made = { name, parent, depth: depthOf(parent) + 1 };
      byName.set(name, made);
      return made;
    };
    const needs = (node: NodeDef) =>
      node.inputs
        .map((input) => this.nodes.get(parseInput(input, this.file).node))
        .filter(
          (each) => each !== undefined && !(node.op === 'Merge' && each.op === 'NextIteration'),
        ) as NodeDef[];
    const open = new Set<NodeDef>();
    for (const root of this.nodes.values()) {
      const stack = [root];
      while (stack.length > 0) {
        const node = stack.at(-1)!;
        if (found.has(node)) {
          stack.pop();
          continue;
        }
        const waiting = open.has(node)
          ? []
          : needs(node).filter((each) => !found.has(each) && !open.has(each));
        open.add(node);
        if (waiting.length > 0) {
          stack.push(...waiting);
          continue;
        }
        const innermost = needs(node)
          .map((each) => found.get(each))
          .reduce<Frame | undefined>(
            (deep, each) => (depthOf(each) > depthOf(deep) ? each : deep),
            undefined,
          );
        found.set(
          node,
          node.op === 'Enter'
            ? enter(textOf(node.attrs.get('frame_name')), innermost)
            : node.op === 'Exit'
              ? innermost?.parent
              : innermost,
        );
        stack.pop();
      }
    }
    return found;
  }

  /**
   * Whether a control dependency says on which side of a condition a node runs: conditionals are
   * looked for later.
   */
  #isPivot(input: string, known: ReadonlySet<NodeDef>): boolean {
    if (!input.startsWith('^')) return false;
    const { node } = this.target(input);
    const [source] = this.data(node);
    const gate = node.op === 'Identity' && source !== undefined ? this.target(source).node : node;
    return gate.op === 'Switch' && !known.has(gate);
  }

  /**
   * What must be computed for some tensors, from the results of `known` nodes on; and what it takes
   * from outside of `frame`.
   */
  slice(
    wanted: readonly string[],
    known: ReadonlySet<NodeDef>,
    frames: ReadonlyMap<NodeDef, Frame | undefined>,
    frame: Frame,
  ): { readonly inside: ReadonlySet<NodeDef>; readonly outside: readonly string[] } {
    const inside = new Set<NodeDef>();
    const outside = new Set<string>();
    const stack = [...wanted];
    for (let reference = stack.pop(); reference !== undefined; reference = stack.pop()) {
      const { node, index } = this.target(reference);
      if (known.has(node) || inside.has(node)) continue;
      // A constant of the graph around is at home in any function: its elements go by its name.
      if (frames.get(node) !== frame && node.op !== 'Const') {
        outside.add(index === 0 ? node.name : `${node.name}:${index}`);
        continue;
      }
      inside.add(node);
      stack.push(...this.data(node), ...node.inputs.filter((input) => this.#isPivot(input, known)));
    }
    return { inside, outside: [...outside] };
  }
}

const dataTypeOf = (node: NodeDef): DataType | undefined =>
  node.attrs.get('T')?.kind === 'type'
    ? (node.attrs.get('T') as AttrValue & { kind: 'type' }).value
    : undefined;

/** Turns the loop of an innermost frame into a While node. */
function raise(graph: Frames, frame: Frame, frames: ReadonlyMap<NodeDef, Frame | undefined>): void {
  const members = [...graph.nodes.values()].filter((node) => frames.get(node) === frame);
  const malformed = (message: string) =>
    graphdefDiagnostics.error('graph', {
      message: `The loop ${frame.name} ${message}.`,
      origin: { file: graph.file, node: frame.name, op: 'Enter' },
    });
  const loopCond = members.find(({ op }) => op === 'LoopCond');
  if (!loopCond) throw malformed('has no condition');
  const merges = members.filter(
    (node) =>
      node.op === 'Merge' &&
      graph.data(node).some((input) => graph.target(input).node.op === 'Enter'),
  );
  const entries = merges.map((merge) =>
    graph.data(merge).find((input) => graph.target(input).node.op === 'Enter')!,
  );
  const carried = new Set(entries.map((entry) => graph.target(entry).node));
  const constants = members.filter((node) => node.op === 'Enter' && !carried.has(node));
  const following = merges.map((merge) =>
    graph.data(merge).find((input) => graph.target(input).node.op === 'NextIteration'),
  );
  const switches = members.filter(
    (node) => node.op === 'Switch' && graph.target(graph.operand(node, 1)).node === loopCond,
  );
  const merged = (node: NodeDef) => merges.indexOf(graph.target(graph.operand(node, 0)).node);

  const known = new Set([...merges, ...constants, ...switches]);
  const condition = [graph.operand(loopCond, 0)];
  const next = following.map((back, i) =>
    back === undefined ? merges[i]!.name : graph.operand(graph.target(back).node, 0),
  );
  const [test, step] = [
    graph.slice(condition, known, frames, frame),
    graph.slice(next, known, frames, frame),
  ];
  const outside = [...new Set([...test.outside, ...step.outside])];

  const argument = (i: number) => `loop_arg_${i}`;
  const renamed = new Map<string, string>();
  merges.forEach((merge, i) => renamed.set(merge.name, argument(i)));
  for (const node of switches) {
    const i = merged(node);
    if (i < 0) throw malformed(`switches a tensor that it does not carry (${node.name})`);
    renamed.set(`${node.name}:1`, argument(i));
  }
  constants.forEach((node, i) => renamed.set(node.name, argument(merges.length + i)));
  outside.forEach((reference, i) =>
    renamed.set(reference, argument(merges.length + constants.length + i)),
  );
  const rename = (reference: string) => renamed.get(reference.replace(/:0$/, '')) ?? reference;
  const renameNode =
    (inside: ReadonlySet<NodeDef>) =>
    (node: NodeDef): NodeDef => {
      const order = node.inputs.filter(
        (input) => input.startsWith('^') && inside.has(graph.target(input).node),
      );
      return { ...node, inputs: [...graph.data(node).map(rename), ...order] };
    };
  const types = [...merges, ...constants].map(dataTypeOf);
  const count = merges.length + constants.length + outside.length;
  const args = Array.from({ length: count }, (_, i): ArgDef => ({
    name: argument(i),
    ...(types[i] && { type: types[i] }),
    extra: new Map(),
  }));
  const kept = args.slice(merges.length).map(({ name }) => name);
  const taken = new Set(graph.functions.map(({ signature }) => signature.name));
  const unique = (wanted: string): string => (taken.has(wanted) ? unique(`${wanted}_`) : wanted);
  const [condName, bodyName] = [
    unique(`${frame.name}/cond_function`),
    unique(`${frame.name}/body_function`),
  ];
  graph.functions.push(
    functionOf(
      condName,
      args,
      [...test.inside].map(renameNode(test.inside)),
      condition.map(rename),
    ),
  );
  graph.functions.push(
    functionOf(bodyName, args, [...step.inside].map(renameNode(step.inside)), [
      ...next.map(rename),
      ...kept,
    ]),
  );

  const func = (name: string): AttrValue => ({ kind: 'func', value: { name, attrs: new Map() } });
  let name = frame.name || 'while';
  while (graph.nodes.has(name)) name += '_';
  const exits = [...graph.nodes.values()].filter(
    (node) => node.op === 'Exit' && switches.includes(graph.target(graph.operand(node, 0)).node),
  );
  const inputs = [
    ...entries.map((entry) => graph.operand(graph.target(entry).node, 0)),
    ...constants.map((node) => graph.operand(node, 0)),
    ...outside,
  ];
  const list: AttrValue = {
    kind: 'list',
    of: 'type',
    values: args.map(({ type }) => type ?? 'DT_INVALID'),
  };
  graph.nodes.set(name, {
    name,
    op: 'While',
    inputs,
    device: '',
    attrs: new Map([
      ['T', list],
      ['cond', func(condName)],
      ['body', func(bodyName)],
    ]),
    extra: new Map(),
  });
  for (const exit of exits) {
    const i = merged(graph.target(graph.operand(exit, 0)).node);
    graph.nodes.set(exit.name, { ...exit, op: 'Identity', inputs: [`${name}:${i}`] });
  }
  for (const node of members) graph.nodes.delete(node.name);
}

/**
 * Turns loops that are written in frames (Enter, Merge, Switch, NextIteration, Exit, LoopCond:
 * control flow version 1) into While nodes with functions. Merge nodes outside of loops stay.
 * Throws `graphdef/graph` for a frame that is no loop.
 */
export function raiseFrames(graph: GraphDef, file: string): GraphDef {
  if (!graph.nodes.some(({ op }) => op === 'Enter')) return graph;
  const work = new Frames(graph, file);
  for (;;) {
    const frames = work.frames();
    const enters = [...work.nodes.values()].filter(({ op }) => op === 'Enter');
    const parents = new Set(enters.map((node) => frames.get(node)!.parent));
    const innermost = enters.map((node) => frames.get(node)!).find((frame) => !parents.has(frame));
    if (!innermost) break;
    raise(work, innermost, frames);
  }
  return { ...graph, nodes: [...work.nodes.values()], functions: work.functions };
}
