/** One file of an archive, as its directory tells. */
export interface ZipEntry {
  /** With `/` between folders; an entry for a folder itself ends with one. */
  readonly name: string;
  /** Bytes once inflated. */
  readonly size: number;
  readonly compressedSize: number;
  readonly compression: 'stored' | 'deflate';
  readonly crc32: number;
  /** Offset of the entry's local header; its bytes follow after that. */
  readonly offset: number;
  /** Where the next entry, or the directory, begins: this one ends before. */
  readonly end: number;
}

/**
 * What names may be: `paths` below a folder, or `keys` that are never taken for paths, which may
 * begin with `/` and differ in case alone.
 */
export type ZipNames = 'paths' | 'keys';

// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const notPortable = /[\\\u0000-\u001f]|^\/|^[a-z]:/i;

/** Why a name is not acceptable, in words that follow it. */
export function nameFault(name: string, names: ZipNames): string | undefined {
  if (name.includes('\0')) return 'holds a NUL';
  if (name.split(/[/\\]/).includes('..')) return 'leads out of the archive';
  if (names === 'keys') return undefined;
  return name === '' || notPortable.test(name) ? 'is no portable relative path' : undefined;
}

/** What names are told apart by: on some systems paths that differ in case alone are one. */
export function nameKey(name: string, names: ZipNames): string {
  if (names === 'keys') return name;
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  return parts.join('/').normalize('NFC').toLowerCase();
}
