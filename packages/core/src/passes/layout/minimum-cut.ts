/**
 * A flow network for minimum cuts: vertices are numbered from 0, capacities are non-negative and
 * may be Infinity (an arc that must not be cut). Maximum flow by Dinic's algorithm (1970): level
 * graphs and blocking flows, without recursion.
 */
export class FlowNetwork {
  readonly #target: number[] = [];
  readonly #capacity: number[] = [];
  readonly #arcs: number[][] = [];

  /** Adds a vertex and gives its number. */
  vertex(): number {
    return this.#arcs.push([]) - 1;
  }

  /** Adds an arc. */
  arc(from: number, to: number, capacity: number): void {
    this.#arcs[from]!.push(this.#target.push(to) - 1);
    this.#capacity.push(capacity);
    this.#arcs[to]!.push(this.#target.push(from) - 1);
    this.#capacity.push(0);
  }

  /**
   * The vertices on the side of `sink` of a minimum cut between `source` and `sink`; of several
   * minimum cuts the one with the fewest there.
   */
  sinkSide(source: number, sink: number): ReadonlySet<number> {
    for (;;) {
      const level = this.#levels(source);
      if (level[sink]! < 0) return this.#reaching(sink);
      const next = new Array<number>(this.#arcs.length).fill(0);
      while (this.#augment(source, sink, level, next));
    }
  }

  /** Distances from the source in arcs that can still carry flow; -1 where there is no way. */
  #levels(source: number): number[] {
    const level = new Array<number>(this.#arcs.length).fill(-1);
    level[source] = 0;
    const queue = [source];
    for (let head = 0; head < queue.length; head++) {
      for (const arc of this.#arcs[queue[head]!]!) {
        const to = this.#target[arc]!;
        if (this.#capacity[arc]! > 0 && level[to]! < 0) {
          level[to] = level[queue[head]!]! + 1;
          queue.push(to);
        }
      }
    }
    return level;
  }

  /** Vertices from which the sink can still be reached. */
  #reaching(sink: number): ReadonlySet<number> {
    const found = new Set([sink]);
    for (const vertex of found) {
      for (const arc of this.#arcs[vertex]!)
        if (this.#capacity[arc ^ 1]! > 0) found.add(this.#target[arc]!);
    }
    return found;
  }

  /**
   * Sends flow along one path of the level graph; false when none is left. `next[v]` is the first
   * arc of v that is not yet known to be a dead end.
   */
  #augment(source: number, sink: number, level: readonly number[], next: number[]): boolean {
    const path: number[] = [];
    let at = source;
    while (at !== sink) {
      const arcs = this.#arcs[at]!;
      const arc = arcs[next[at]!];
      if (arc === undefined) {
        if (path.length === 0) return false;
        at = this.#target[path.pop()! ^ 1]!;
        next[at]!++;
      } else if (this.#capacity[arc]! > 0 && level[this.#target[arc]!] === level[at]! + 1) {
        path.push(arc);
        at = this.#target[arc]!;
      } else next[at]!++;
    }
    const flow = path.reduce((least, arc) => Math.min(least, this.#capacity[arc]!), Infinity);
    for (const arc of path) {
      this.#capacity[arc]! -= flow;
      this.#capacity[arc ^ 1]! += flow;
    }
    return true;
  }
}
