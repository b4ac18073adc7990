import { HoldfastError } from '@holdfast/contracts';
import type { Progress } from '@holdfast/engine';
import picocolors from 'picocolors';
import { describe, expect, it } from 'vitest';
import { asHoldfastError, errorJson, errorLines } from '../src/output/errors.ts';
import { jsonPath, toJson } from '../src/output/json.ts';
import { countText, Progressing, progressText } from '../src/output/progress.ts';
import { SpeedMeter } from '../src/output/speed.ts';
import { facts, table } from '../src/output/table.ts';

const plain = picocolors.createColors(false);
const coloured = picocolors.createColors(true);

const progress = (changes: Partial<Progress> = {}): Progress => ({
  phase: 'transfer',
  bytes: 50 * 2 ** 20,
  totalBytes: 200 * 2 ** 20,
  objects: 1,
  totalObjects: 1,
  transferredBytes: 30 * 2 ** 20,
  ...changes,
});

describe('JSON', () => {
  it('shows what JSON does not know', () => {
    const value = {
      big: 2n ** 64n,
      bytes: Uint8Array.of(1, 255),
      map: new Map([['a', 1]]),
      gone: undefined,
      none: null,
    };
    expect(JSON.parse(toJson(value))).toEqual({
      big: '18446744073709551616',
      bytes: '01ff',
      map: { a: 1 },
      none: null,
    });
  });

  it('keeps the exact bytes of paths that text cannot show', () => {
    expect(jsonPath(Buffer.from('a/b'))).toEqual({ path: 'a/b' });
    expect(jsonPath(Uint8Array.of(0x61, 0xff))).toEqual({ path: 'a\\xff', pathHex: '61ff' });
    expect(jsonPath(Buffer.from('a\nb'))).toEqual({ path: 'a\\x0ab', pathHex: '610a62' });
  });
});

describe('errors', () => {
  const error = new HoldfastError('SOURCE_UNREADABLE', '/x cannot be read.', {
    hint: 'Check it.',
    cause: new Error('outer', { cause: new Error('EACCES: permission denied') }),
    details: { path: '/x', count: 3n },
  });

  it('say what happened, why, and what to do', () => {
    expect(errorLines(error, plain, false)).toEqual([
      'Error: /x cannot be read. [SOURCE_UNREADABLE]',
      '  because: EACCES: permission denied',
      '  to do: Check it.',
    ]);
    expect(errorLines(error, plain, true).join('\n')).toContain('output.test.ts');
  });

  it('do not repeat themselves', () => {
    const repeated = new HoldfastError('INTERNAL', 'It failed: boom', { cause: new Error('boom') });
    expect(errorLines(repeated, plain, false)).toEqual(['Error: It failed: boom [INTERNAL]']);
  });

  it('in JSON always have the same four members', () => {
    expect(errorJson(error).error).toEqual({
      code: 'SOURCE_UNREADABLE',
      message: '/x cannot be read.',
      hint: 'Check it.',
      details: { path: '/x', count: '3' },
    });
    expect(errorJson(new HoldfastError('BUSY', 'x')).error).toEqual({
      code: 'BUSY',
      message: 'x',
      hint: null,
      details: {},
    });
  });

  it('that nobody foresaw are bugs', () => {
    expect(asHoldfastError(new TypeError('x is not a function'))).toMatchObject({ code: 'INTERNAL' });
    expect(asHoldfastError('just text')).toMatchObject({ code: 'INTERNAL', message: 'just text' });
  });
});

describe('tables', () => {
  it('line up, colours or not', () => {
    const lines = table(
      [{ title: 'NAME' }, { title: 'SIZE', align: 'right' }],
      [
        [coloured.bold('a'), '1 B'],
        ['long name', '10 KiB'],
      ],
    );
    expect(lines[0]).toBe('NAME         SIZE');
    expect(lines[2]).toBe('long name  10 KiB');
    expect(lines[1]!.endsWith('             1 B')).toBe(true);
    expect(
      facts([
        ['a', '1'],
        ['long', '2'],
      ]),
    ).toEqual(['  a     1', '  long  2']);
    expect(table([{ title: 'X' }], [])).toEqual(['X']);
  });
});

describe('progress', () => {
  it('counts things that have no bytes', () => {
    expect(countText('checking', 'placement', 430, 1_000, null)).toBe(
      'checking   43 %  430 of 1 000 placements',
    );
    expect(countText('checking', 'placement', 0, 0, null)).toContain('100 %');
    const lines: string[] = [];
    const stream = { write: (text: string) => lines.push(text) };
    let now = 0;
    const told = new Progressing(stream, plain, false).count('checking', 'placement', () => now);
    told(1, 3);
    now = 11_000;
    told(2, 3);
    told(3, 3);
    expect(lines).toEqual(['checking   67 %  2 of 3 placements\n']);
    const quiet = new Progressing(stream, plain, true).count('checking', 'placement', () => now);
    now = 90_000;
    quiet(1, 3);
    expect(lines).toHaveLength(1);
  });

  it('shows share, bytes, rate and time left', () => {
    expect(progressText('app', progress(), 10 * 2 ** 20, null)).toBe(
      'app   25 %  50 MiB of 200 MiB  10 MiB/s  30 MiB over the wire  0:15 left',
    );
    expect(progressText('dump', progress({ totalBytes: null }), 2 ** 20, null)).toBe(
      'dump  50 MiB  1 MiB/s  30 MiB over the wire',
    );
    expect(progressText('app', progress({ phase: 'manifest' }), 1, null)).toContain('writing the manifest');
  });

  it('on a terminal is one line that fits and is taken away', () => {
    const written: string[] = [];
    const stream = { isTTY: true, columns: 40, write: (text: string) => written.push(text) };
    let now = 0;
    const progressing = new Progressing(stream, coloured, false);
    const update = progressing.start('app', () => now);
    for (let i = 0; i < 50; i++) {
      now += 20;
      update(progress({ bytes: i * 2 ** 20 }));
    }
    expect(written[0]).toContain('asking the peers');
    expect(written.length).toBeLessThanOrEqual(11);
    for (const line of written) {
      expect(line.startsWith('\r\u001b[2K')).toBe(true);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the escape sequences themselves
      expect(line.replace(/[\r]|\u001b\[[0-9;]*[mK]/g, '').length).toBeLessThanOrEqual(39);
    }
    progressing.above('a note');
    expect(written.slice(-3)[1]).toBe('a note\n');
    progressing.clear();
    expect(written.at(-1)).toBe('\r\u001b[2K');
  });

  it('elsewhere is a plain line every ten seconds, and nothing under --quiet', () => {
    for (const [quiet, lines] of [
      [false, 3],
      [true, 0],
    ] as const) {
      const written: string[] = [];
      let now = 0;
      const update = new Progressing({ write: (text: string) => written.push(text) }, plain, quiet).start(
        'app',
        () => now,
      );
      for (let i = 0; i < 350; i++) {
        now += 100;
        update(progress({ bytes: i * 2 ** 20 }));
      }
      expect(written).toHaveLength(lines);
      for (const line of written) expect(line).toMatch(/^app .*\n$/);
    }
  });

  it('measures speed over the last seconds only', () => {
    const meter = new SpeedMeter();
    expect(meter.bytesPerSecond).toBe(0);
    for (let second = 0; second <= 10; second++) meter.add(second * 1000, second * 1000);
    expect(meter.bytesPerSecond).toBeCloseTo(1000);
    for (let second = 11; second <= 25; second++) meter.add(10_000, second * 1000);
    expect(meter.bytesPerSecond).toBe(0);
  });
});
