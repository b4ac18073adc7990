import { expect, test } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';

const parse = (sources: object) => parseConfig(JSON.stringify({ version: 1, sources }), 'holdfast.yaml');
const chat = { kind: 'postgres', database: 'chat', protect: {} };
const tree = { kind: 'tree', path: '/x' };

test.each(['chat.base', 'chat.wal'])('%s is taken when chat is protected', (name) => {
  expect(() => parse({ chat, [name]: tree })).toThrowError(
    expect.objectContaining({ code: 'CONFIG_INVALID' }),
  );
  expect(() => parse({ chat, [name]: tree })).toThrow(/"chat" is under continuous protection/);
  const { protect: _, ...unprotected } = chat;
  expect(() => parse({ chat: unprotected, [name]: tree })).not.toThrow();
  expect(() => parse({ chat, [`my-${name}`]: tree })).not.toThrow();
});

test('names leave room for the endings', () => {
  expect(() => parse({ ['c'.repeat(59)]: chat })).not.toThrow();
  expect(() => parse({ ['c'.repeat(60)]: chat })).toThrow(/59 characters/);
});
