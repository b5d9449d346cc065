/**
 * Which kinds of packages the ones of a kind may import, by the tag in their package.json; `*` is
 * all. Lint holds it, and ARCHITECTURE.md shows it.
 */
export const mayImport = {
  core: [],
  container: ['core'],
  dialect: ['core', 'container'],
  format: ['core', 'container', 'dialect'],
  node: ['core'],
  runtime: ['core'],
  parity: ['core'],
  weights: ['core'],
  list: ['core', 'format'],
  app: ['*'],
};

/** Kinds that depend on no package from outside. */
export const selfContained = ['core', 'dialect', 'parity'];
