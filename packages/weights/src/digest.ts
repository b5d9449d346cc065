import type { Parts } from './layer.js';

/** A digest of the elements of all parts, by their roles. Reads them. */
export async function digestOf(parts: Parts): Promise<string> {
  const texts: string[] = [];
  for (const [role, weight] of [...parts].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const bytes = await weight.bytes();
    const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
    texts.push(`${role} ${weight.dtype} ${new Uint8Array(digest).join()}`);
  }
  return texts.join(' ');
}
