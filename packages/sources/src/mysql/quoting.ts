/** A name as an identifier, whatever is in it. */
export const quoteName = (name: string): string => `\`${name.replaceAll('`', '``')}\``;

export const quotePath = (...names: readonly string[]): string => names.map(quoteName).join('.');

/** As a string literal, under any sql_mode: nothing in it can end the literal, as only hex digits are in it. */
export const quoteText = (text: string): string => `_utf8mb4 x'${Buffer.from(text, 'utf8').toString('hex')}'`;

/** For the few statements that take no expression, under our own sql_mode, which knows the backslash. */
export const quotePlain = (text: string): string =>
  `'${text.replace(/[\\']/g, '\\$&').replaceAll('\0', '\\0').replaceAll('\n', '\\n')}'`;

/** Where something quoted, or a comment, that begins at `at` ends; null when nothing of the kind begins there. */
export function endOfQuoted(sql: string, at: number): number | null {
  const quote = sql[at];
  if (quote !== '`' && quote !== "'" && quote !== '"') return null;
  for (let i = at + 1; i < sql.length; i++) {
    if (sql[i] === '\\' && quote !== '`') i++;
    else if (sql[i] === quote) {
      if (sql[i + 1] !== quote) return i + 1;
      i++;
    }
  }
  return sql.length;
}

/** The text between strings and quoted names, through `change`; these themselves stay. */
export function mapUnquoted(sql: string, change: (text: string) => string): string {
  let result = '';
  let from = 0;
  for (let at = 0; at < sql.length; ) {
    const end = endOfQuoted(sql, at);
    if (end === null) {
      at++;
      continue;
    }
    result += change(sql.slice(from, at)) + sql.slice(at, end);
    from = at = end;
  }
  return result + change(sql.slice(from));
}

/** Names another database where names of `from` stand qualified, in text that the server itself has quoted. */
export function requalify(sql: string, from: string, to: string): string {
  const qualifier = `${quoteName(from)}.`;
  let result = '';
  for (let at = 0; at < sql.length; ) {
    const end = endOfQuoted(sql, at) ?? at + 1;
    const piece = sql.slice(at, end);
    const qualifies = sql.startsWith(qualifier, at) && sql[at - 1] !== '.';
    result += qualifies ? quoteName(to) : piece;
    at = end;
  }
  return result;
}
