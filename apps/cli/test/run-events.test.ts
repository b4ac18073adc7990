import type { EngineEvent } from '@holdfast/engine';
import { afterEach, expect, it, vi } from 'vitest';
import { Console } from '../src/output/console.ts';
import { RunEvents } from '../src/output/run-events.ts';
import { PeerNames } from '../src/vault/peer-names.ts';

afterEach(() => vi.restoreAllMocks());

it('tells of the first sealing thread that died, and how many more did', () => {
  const written: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  const events = new RunEvents(new Console({ json: false, quiet: false }, {}), new PeerNames([]));
  const died: EngineEvent = {
    type: 'worker-restarted',
    job: 'while opening partition 1',
    reason: 'Worker terminated due to reaching memory limit',
  };
  for (let i = 0; i < 3; i++) events.tell(died);
  events.summarise();
  expect(written.join('')).toContain(
    'A sealing thread died while opening partition 1, and another goes on: Worker terminated due to reaching memory limit',
  );
  expect(written.join('').match(/while opening/g)).toHaveLength(1);
  expect(written.join('')).toContain('… and 2 more: sealing threads died');
});
