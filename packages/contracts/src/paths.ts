/**
 * Object paths are raw bytes (file names need not be UTF-8) with `/` between components, no leading or trailing
 * slash, and no empty, `.` or `..` component. Sinks refuse what breaks this: paths come from peers' bytes.
 */
export type ObjectPath = Uint8Array;

const SLASH = 0x2f;

/**
 * Depth-first order with siblings by their bytes: a slash sorts before every other byte. Sources emit objects in this
 * order, so that two snapshots can be merged in one pass with bounded memory.
 */
export function comparePaths(a: ObjectPath, b: ObjectPath): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a[i]!;
    const y = b[i]!;
    if (x !== y) return x === SLASH ? -1 : y === SLASH ? 1 : x - y;
  }
  return a.length - b.length;
}

export const pathFromText = (text: string): ObjectPath => Buffer.from(text, 'utf8');

/** Control and formatting characters, C1 and bidirectional overrides among them: a terminal would obey them. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** For people: bytes that are not UTF-8, and control characters, appear as `\xNN`. Not reversible; never parse it. */
export function displayPath(path: ObjectPath): string {
  const bytes = Buffer.from(path.buffer, path.byteOffset, path.byteLength);
  const text = bytes.toString('utf8');
  if (Buffer.from(text, 'utf8').equals(bytes)) {
    return text.replace(UNPRINTABLE, (c) => Array.from(Buffer.from(c, 'utf8'), escaped).join(''));
  }
  return Array.from(bytes, (byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : escaped(byte),
  ).join('');
}

const escaped = (byte: number): string => `\\x${byte.toString(16).padStart(2, '0')}`;

/** Whether the path is safe to join below a directory. */
export function isSafePath(path: ObjectPath): boolean {
  if (path.length === 0 || path.includes(0)) return false;
  let start = 0;
  for (let end = 0; end <= path.length; end++) {
    if (end < path.length && path[end] !== SLASH) continue;
    const length = end - start;
    const dots = length <= 2 && path.subarray(start, end).every((byte) => byte === 0x2e);
    if (length === 0 || dots) return false;
    start = end + 1;
  }
  return true;
}
