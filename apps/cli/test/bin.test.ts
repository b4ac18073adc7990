import { describe, expect, it } from 'vitest';
import { EXIT } from '../src/exit-codes.ts';
import { holdfast } from './run-command.ts';

/** Makes the process believe that it runs on another Node. */
const pretend = (version: string): string[] => [
  '--import',
  `data:text/javascript,${encodeURIComponent(
    `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } });
     Object.defineProperty(process, 'version', { value: 'v${version}' });`,
  )}`,
];

/** Makes the process tell on standard error what it imports. */
const listing: string[] = [
  '--import',
  `data:text/javascript,${encodeURIComponent(
    `import { registerHooks } from 'node:module';
     registerHooks({ resolve: (name, context, next) => { console.error('loads ' + name); return next(name, context); } });`,
  )}`,
];

describe('the start-up file', () => {
  it('says what to do on a Node that is too old', async () => {
    const { code, stdout, stderr } = await holdfast(['status'], { node: pretend('20.19.1') });
    expect(code).toBe(EXIT.tooOld);
    expect(stdout).toBe('');
    expect(stderr).toContain('Holdfast needs Node 24 or newer; this is v20.19.1');
    expect(stderr).toContain('nvm install 24');
  });

  it('says it in JSON when asked to', async () => {
    const { code, stdout } = await holdfast(['status', '--json'], { node: pretend('18.0.0') });
    expect(code).toBe(EXIT.tooOld);
    expect(JSON.parse(stdout).error.message).toContain('v18.0.0');
  });

  it('runs on newer ones', async () => {
    const { code, stdout } = await holdfast(['--version'], { node: pretend('26.1.0') });
    expect(code).toBe(EXIT.ok);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('loads next to nothing to explain itself', async () => {
    const { code, stdout, stderr } = await holdfast(['--help'], { node: listing });
    expect(code).toBe(EXIT.ok);
    expect(stdout).toContain('Usage: holdfast');
    const loaded = stderr.split('\n').filter((line) => line.startsWith('loads '));
    expect(loaded).toContain('loads commander');
    const heavy = [
      '@holdfast/engine',
      '@holdfast/network',
      '@holdfast/catalog',
      '@holdfast/sources',
      'zod',
      'yaml',
    ];
    for (const name of heavy) expect(loaded).not.toContain(`loads ${name}`);
  });
});
