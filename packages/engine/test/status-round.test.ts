import { HoldfastError, type PeerId, type PeerStatus, type ShardTransport } from '@holdfast/contracts';
import { samplePeerId } from '@holdfast/testing/catalog-samples';
import { MemoryClock } from '@holdfast/testing/memory-clock';
import { describe, expect, it } from 'vitest';
import { statusRound } from '../src/storage/status-round.ts';

const [ONE, TWO, DEAD] = [samplePeerId(1), samplePeerId(2), samplePeerId(3)];

/** Answers after so many milliseconds each time; null: fails then. */
function round(plan: ReadonlyMap<PeerId, readonly (number | null)[]>) {
  const clock = new MemoryClock();
  const log: string[] = [];
  const asked = new Map<PeerId, number>();
  const names = new Map([ONE, TWO, DEAD].map((peer, i) => [peer, ['one', 'two', 'dead'][i]!]));
  const status: ShardTransport['status'] = async (peer) => {
    const times = asked.get(peer) ?? 0;
    asked.set(peer, times + 1);
    log.push(`${names.get(peer)} at ${clock.monotonic()}`);
    const delay = plan.get(peer)![times];
    if (delay === null || delay === undefined) throw new HoldfastError('PEER_UNREACHABLE', 'gone');
    await clock.sleep(delay);
    return { id: peer } as PeerStatus;
  };
  const timed = new Map<PeerId, number>();
  const failed: PeerId[] = [];
  const answers = statusRound(
    {
      transport: { status } as ShardTransport,
      clock,
      signal: new AbortController().signal,
      answered: () => {},
      failed: (peer) => failed.push(peer),
      timed: (peer, milliseconds) => timed.set(peer, milliseconds),
    },
    [...plan.keys()],
  );
  return { clock, log, timed, failed, answers };
}

describe('asking all peers', () => {
  it('measures when all have answered, and takes the best', async () => {
    const { clock, log, timed, failed, answers } = round(
      new Map([
        [ONE, [50, 30, 10, 20]],
        [TWO, [400, 7, 8, 9]],
        [DEAD, [null]],
      ]),
    );
    await clock.advance(1000);
    expect(await answers).toEqual([
      { peer: ONE, roundTripMs: 10 },
      { peer: TWO, roundTripMs: 7 },
      { peer: DEAD, roundTripMs: null },
    ]);
    expect(timed).toEqual(
      new Map([
        [ONE, 10],
        [TWO, 7],
      ]),
    );
    expect(failed).toEqual([DEAD]);
    expect(log.slice(0, 5)).toEqual(['one at 0', 'two at 0', 'dead at 0', 'one at 400', 'two at 400']);
  });

  it('does not wait for ever for one that hangs, nor forget that it answered who falls silent after', async () => {
    const { clock, log, timed, answers } = round(
      new Map([
        [ONE, [50, null]],
        [TWO, [3000, 5, 5, 5]],
      ]),
    );
    await clock.advance(4000);
    expect(await answers).toEqual([
      { peer: ONE, roundTripMs: 50 },
      { peer: TWO, roundTripMs: 5 },
    ]);
    expect(log[2]).toBe('one at 1000');
    expect([...timed.keys()]).toEqual([TWO]);
  });
});
