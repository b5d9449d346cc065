/**
 * A name that TensorFlow accepts for a node (`[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*`,
 * tensorflow/core/graph/graph_constructor.cc), near to the wanted one.
 */
export function legalName(wanted: string): string {
  const safe = wanted.replace(/[^A-Za-z0-9_./>-]/g, '_');
  return /^[A-Za-z0-9.]/.test(safe) ? safe : `n${safe}`;
}
