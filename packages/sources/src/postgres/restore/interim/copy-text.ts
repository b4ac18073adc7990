import { fieldsOf } from './tuple-splitter.ts';

const ESCAPES = new Map([
  [0x5c, '\\\\'],
  [0x0a, '\\n'],
  [0x0d, '\\r'],
  [0x09, '\\t'],
]);

/** Tuples of text fields as COPY text lines. */
export function copyTextOf(tuples: Uint8Array, fields: number): Uint8Array {
  const lines: Uint8Array[] = [];
  for (const row of fieldsOf(tuples, fields)) {
    row.forEach((field, i) => {
      if (i > 0) lines.push(Buffer.from('\t'));
      lines.push(field === null ? Buffer.from('\\N') : escaped(field));
    });
    lines.push(Buffer.from('\n'));
  }
  return Buffer.concat(lines);
}

function escaped(field: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  let start = 0;
  for (let i = 0; i < field.length; i++) {
    const code = ESCAPES.get(field[i]!);
    if (code === undefined) continue;
    parts.push(field.subarray(start, i), Buffer.from(code));
    start = i + 1;
  }
  return start === 0 ? field : Buffer.concat([...parts, field.subarray(start)]);
}
