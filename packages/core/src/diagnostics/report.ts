import { ConversionError, type Diagnostic } from './diagnostic.js';

/** Collects findings while a conversion runs, so that all of them are told at once. */
export class Report {
  readonly #diagnostics: Diagnostic[] = [];
  readonly #keys = new Set<string>();

  /**
   * Adds a finding. The same finding (code and message) at the same place (file and node) is kept
   * once.
   */
  add(diagnostic: Diagnostic): void {
    const { code, message, origin } = diagnostic;
    const key = JSON.stringify([code, message, origin.file, origin.node]);
    if (this.#keys.has(key)) return;
    this.#keys.add(key);
    this.#diagnostics.push(diagnostic);
  }

  get diagnostics(): readonly Diagnostic[] {
    return this.#diagnostics;
  }

  get errors(): readonly Diagnostic[] {
    return this.#diagnostics.filter((d) => d.severity === 'error');
  }

  /** Throws a {@link ConversionError} with every finding if one of them is an error. */
  throwIfErrors(): void {
    if (this.errors.length > 0) throw new ConversionError(this.#diagnostics);
  }
}
