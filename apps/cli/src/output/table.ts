import { stripVTControlCharacters } from 'node:util';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** Cells may carry colours. Two spaces between columns, no lines: easy on the eye, easy for `awk`. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const widths = columns.map((column, i) =>
    Math.max(width(column.title), ...rows.map((row) => width(row[i] ?? ''))),
  );
  const line = (cells: readonly string[]) =>
    columns
      .map((column, i) => pad(cells[i] ?? '', widths[i]!, column.align ?? 'left'))
      .join('  ')
      .trimEnd();
  return [line(columns.map((column) => column.title)), ...rows.map(line)];
}

/** `label   value` lines with the values in one column. */
export function facts(entries: readonly (readonly [string, string])[], indent = '  '): string[] {
  const widest = Math.max(0, ...entries.map(([label]) => width(label)));
  return entries.map(([label, value]) => `${indent}${pad(label, widest, 'left')}  ${value}`);
}

const width = (cell: string): number => [...stripVTControlCharacters(cell)].length;

function pad(cell: string, to: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, to - width(cell)));
  return align === 'right' ? space + cell : cell + space;
}
