import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it('every committed .wasm is what its sources compile to', { timeout: 180_000 }, () => {
  const script = fileURLToPath(new URL('../../../tools/build-wasm.ts', import.meta.url));
  const report = execFileSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
  expect(report).toMatch(/relaxed\.wasm: \d+ bytes, unchanged/);
  expect(report).not.toMatch(/DIFFERS/);
});
