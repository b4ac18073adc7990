import { readFileSync } from 'node:fs';

/** Known answers committed beside the tests; each file says in `origin` where it is from. */
export function fixture<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`./fixtures/${name}`, import.meta.url), 'utf8')) as T;
}

export const hex = (text: string): Buffer => Buffer.from(text, 'hex');
