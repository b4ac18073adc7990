import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MISSED_AFTER, type TaskPlan } from '../../src/agent/decide.ts';
import { slotShare } from '../../src/agent/jitter.ts';
import { cronSlots, everyInterval } from '../../src/agent/timetable.ts';
import { type Run, Simulation, type Step } from './simulation.ts';

const MINUTE = 60_000;
const START = Date.UTC(2026, 10, 20, 10, 31, 7);
const SEED = Buffer.from('a seed');

interface PlanShape {
  readonly interval: number;
  readonly cron: boolean;
  readonly lane: number;
  readonly jitter: number;
  readonly retries: number;
  readonly catchUp: boolean;
}

function plansOf(shapes: readonly PlanShape[]): TaskPlan[] {
  return shapes.map((shape, i) => {
    const minutes = Math.min(59, Math.ceil(shape.interval / MINUTE));
    const timetable = shape.cron
      ? cronSlots(`*/${minutes} * * * *`, 'Europe/Vienna')
      : everyInterval(shape.interval);
    const name = `task-${i}`;
    return {
      name,
      lane: `lane-${shape.lane}`,
      timetable,
      delay: (slot) => {
        const gap = (timetable.after(slot) ?? slot) - slot;
        return Math.floor(Math.min(shape.jitter, gap / 2) * slotShare(SEED, name, slot));
      },
      catchUp: shape.catchUp,
      retries: { count: shape.retries, wait: 1000, longest: 10_000 },
    };
  });
}

const shape = (fixed: Partial<PlanShape> = {}): fc.Arbitrary<PlanShape> =>
  fc
    .record({
      interval: fc.integer({ min: 70_000, max: 30 * MINUTE }),
      cron: fc.boolean(),
      lane: fc.integer({ min: 0, max: 1 }),
      jitter: fc.integer({ min: 0, max: 5 * MINUTE }),
      retries: fc.integer({ min: 0, max: 3 }),
      catchUp: fc.boolean(),
    })
    .map((made) => ({ ...made, ...fixed }));

const step = (jumps: 'none' | 'forward' | 'any'): fc.Arbitrary<Step> =>
  fc.record({
    wait: fc.integer({ min: 0, max: 20 * MINUTE }),
    jump:
      jumps === 'none'
        ? fc.constant(0)
        : fc.oneof(
            { weight: 3, arbitrary: fc.constant(0) },
            {
              weight: 1,
              arbitrary: fc.integer({
                min: jumps === 'any' ? -40 * 24 * 60 * MINUTE : 0,
                max: 40 * 24 * 60 * MINUTE,
              }),
            },
            {
              weight: 1,
              arbitrary: fc.integer({ min: jumps === 'any' ? -2 * MINUTE : 0, max: 2 * MINUTE }),
            },
          ),
    restart: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.boolean() }),
  });

const durations = fc.infiniteStream(
  fc.record({ takes: fc.integer({ min: 0, max: 15 * MINUTE }), ending: fc.constantFrom('final', 'passing') }),
);

const shapes = (fixed: Partial<PlanShape> = {}) => fc.array(shape(fixed), { minLength: 1, maxLength: 4 });
const steps = (jumps: 'none' | 'forward' | 'any') => fc.array(step(jumps), { minLength: 1, maxLength: 12 });

const holds = (property: fc.IRawProperty<unknown, false>): void => fc.assert(property, { numRuns: 40 });

const overlaps = (runs: readonly Run[], by: (run: Run) => string): boolean =>
  runs.some((a, i) => runs.some((b, j) => i < j && by(a) === by(b) && a.from < b.to && b.from < a.to));

describe('whatever clock and runs do', { timeout: 120_000 }, () => {
  it('runs of one lane never overlap', () => {
    holds(
      fc.property(shapes(), steps('any'), durations, (given, walk, outcomes) => {
        const simulation = new Simulation(plansOf(given), START, outcomes);
        simulation.walk(walk);
        expect(overlaps(simulation.runs, (run) => run.task)).toBe(false);
        expect(overlaps(simulation.runs, (run) => run.lane)).toBe(false);
      }),
    );
  });

  it('every slot that is due is decided, and asking again changes nothing', () => {
    holds(
      fc.property(shapes(), steps('any'), durations, (given, walk, outcomes) => {
        const plans = plansOf(given);
        const simulation = new Simulation(plans, START, outcomes);
        for (const one of walk) {
          simulation.walk([one]);
          simulation.expectDecided();
        }
      }),
    );
  });

  it('a task with catching up makes a run for each slot, or for a newer one, and soon', () => {
    holds(
      fc.property(
        shapes({ catchUp: true, retries: 0 }),
        steps('none'),
        durations,
        (given, walk, outcomes) => {
          const plans = plansOf(given);
          const simulation = new Simulation(plans, START, outcomes);
          const calm = walk.map((one) => ({ ...one, restart: false }));
          simulation.walk(calm);
          const until = simulation.wall;
          const longest = Math.max(0, ...simulation.runs.map((run) => run.takes));
          for (const plan of plans) {
            const patience = longest * (plans.length + 1);
            for (const slot of slotsBetween(plan, START, until)) {
              const due = slot + plan.delay(slot);
              if (due + patience > until) continue;
              const served = simulation.runs.find(
                (run) => run.task === plan.name && run.slot >= slot && run.from >= due,
              );
              expect(served, `${plan.name}, slot ${slot}`).toBeDefined();
              expect(served!.from - due).toBeLessThanOrEqual(patience);
            }
          }
        },
      ),
    );
  });

  it('runs are never more than slots, retries and clock changes account for', () => {
    holds(
      fc.property(shapes({ retries: 0 }), steps('any'), durations, (given, walk, outcomes) => {
        const plans = plansOf(given);
        const simulation = new Simulation(plans, START, outcomes);
        const calm = walk.map((one) => ({ ...one, restart: false }));
        simulation.walk(calm);
        for (const plan of plans) {
          const runs = simulation.runs.filter((run) => run.task === plan.name).length;
          // Each stretch between jumps has its slots, and may begin with one run to catch up.
          const most = simulation.stretches.reduce(
            (sum, { from, to }) => sum + slotsBetween(plan, from, to).length + 1,
            0,
          );
          expect(runs).toBeLessThanOrEqual(most);
        }
      }),
    );
  });

  it('however long the machine was off, at most one run makes up for it', () => {
    holds(
      fc.property(
        shapes({ retries: 0 }),
        fc.integer({ min: 2 * MISSED_AFTER, max: 400 * 24 * 60 * MINUTE }),
        fc.boolean(),
        durations,
        (given, away, restart, outcomes) => {
          const plans = plansOf(given);
          const simulation = new Simulation(plans, START, outcomes);
          simulation.walk([{ wait: 45 * MINUTE, jump: 0, restart: false }]);
          const before = simulation.runs.length;
          simulation.walk([{ wait: 0, jump: away, restart }]);
          simulation.walk([{ wait: 90 * MINUTE, jump: 0, restart: false }]);
          for (const plan of plans) {
            const late = simulation.runs.slice(before).filter((run) => run.task === plan.name && run.late);
            expect(late.length).toBeLessThanOrEqual(plan.catchUp ? 1 : 0);
          }
        },
      ),
    );
  });

  it('no task starves when the clock goes back', () => {
    holds(
      fc.property(
        shapes({ retries: 0 }),
        fc.integer({ min: 1, max: 400 * 24 * 60 * MINUTE }),
        durations,
        (given, back, outcomes) => {
          const plans = plansOf(given);
          const simulation = new Simulation(plans, START, outcomes);
          simulation.walk([{ wait: 45 * MINUTE, jump: 0, restart: false }]);
          const before = simulation.runs.length;
          simulation.walk([{ wait: 0, jump: -back, restart: false }]);
          // Two intervals of the longest, and turns of the others.
          simulation.walk([{ wait: 2 * 30 * MINUTE + 4 * 15 * MINUTE, jump: 0, restart: false }]);
          for (const plan of plans) {
            expect(simulation.runs.slice(before).some((run) => run.task === plan.name)).toBe(true);
          }
        },
      ),
    );
  });
});

function slotsBetween({ timetable }: TaskPlan, from: number, to: number): number[] {
  const slots: number[] = [];
  for (let slot = timetable.after(from); slot !== null && slot <= to; slot = timetable.after(slot))
    slots.push(slot);
  return slots;
}
