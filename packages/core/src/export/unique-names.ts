/** Names that are each given once: a wanted one that is taken gets a number behind. */
export class UniqueNames {
  readonly #taken = new Set<string>();
  readonly #next = new Map<string, number>();

  constructor(
    /** A name as the target can spell it, near to the wanted one. */
    private readonly legal: (wanted: string) => string = (wanted) => wanted,
  ) {}

  /** Takes a name as it is, whether or not it is taken. */
  take(name: string): void {
    this.#taken.add(name);
  }

  has(name: string): boolean {
    return this.#taken.has(name);
  }

  /** A name that nothing else has, near to the wanted one; `kept` are names that it may not be. */
  unique(wanted: string, kept?: ReadonlySet<string>): string {
    const base = this.legal(wanted);
    let name = base;
    let number = this.#next.get(base) ?? 1;
    while (this.#taken.has(name) || kept?.has(name)) name = `${base}_${number++}`;
    this.#next.set(base, number);
    this.#taken.add(name);
    return name;
  }
}
