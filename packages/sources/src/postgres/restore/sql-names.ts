import pg from 'pg';

/** Longer names are cut by the server, silently. */
export const MAX_NAME_BYTES = 63;

export const quoted = (name: string): string => pg.escapeIdentifier(name);
export const literal = (text: string): string => pg.escapeLiteral(text);
export const qualified = (schema: string, name: string): string => `${quoted(schema)}.${quoted(name)}`;
export const quotedList = (names: readonly string[]): string => names.map(quoted).join(', ');
