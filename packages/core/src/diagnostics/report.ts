import { ConversionError, type Diagnostic } from './diagnostic.js';

/** Collects findings while a conversion runs, so that all of them are told at once. */
export class Report {
  readonly #diagnostics: Diagnostic[] = [];

  /** Adds a finding. The same finding at the same place is kept once. */
  add(diagnostic: Diagnostic): void {
    const same = (d: Diagnostic) =>
      d.code === diagnostic.code &&
      d.message === diagnostic.message &&
      d.origin.node === diagnostic.origin.node &&
      d.origin.file === diagnostic.origin.file;
    if (!this.#diagnostics.some(same)) this.#diagnostics.push(diagnostic);
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
