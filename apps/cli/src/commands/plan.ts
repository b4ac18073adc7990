import { HoldfastError } from '@holdfast/contracts';
import type { SlaPlan, SlaRequest } from '@holdfast/placement/sla';
import type { Command } from 'commander';
import type { WrittenPlan } from '../config/edit.ts';
import type { PlanOptions } from '../config/plan-options.ts';
import type { ExitCode } from '../exit-codes.ts';
import { examples, type Invocation, runs } from '../invocation.ts';
import type { PeerNames } from '../vault/peer-names.ts';
import type { ConfiguredLimits } from '../vault/planned-settings.ts';

interface Options extends PlanOptions {
  readonly swarm?: string;
  readonly apply?: boolean;
}

export function registerPlan(program: Command): void {
  const command = program
    .command('plan')
    .summary('which code keeps an SLA among your peers')
    .description(
      'Chooses k and m with the least storage that keep an SLA among the peers that answer now, and explains the choice. ' +
        'What is promised holds for the least reliable peers that the rules allow. When the SLA cannot be met it says so, ' +
        'and what would meet it. Exits with 6 when it is not met.',
    )
    .requiredOption('--sla <level>', 'bronze, silver, gold, platinum, or a percentage such as 99.95')
    .option('--regions <count>', "fewest regions that shards lie in (default: the level's)")
    .option('--scheme <scheme>', 'erasure (one copy of each shard) or replication (several)', 'erasure')
    .option('--separation <count>', 'further holders because complementary shards lie apart: 2 or 3', '2')
    .option('--churn <rate>', 'peers that leave for good, such as 5%/day or 1%/hour', '0')
    .option('--assume-uptime <share>', 'of peers whose uptime is not measured', '95%')
    .option('--min-k <count>', 'least k that is considered', '2')
    .option('--max-k <count>', 'largest k that is considered', '20')
    .option('--spares <count>', 'peers that no partition takes: backups go on while as many are away', '0')
    .option('--swarm <file>', 'plan with the peers listed in this YAML or JSON file instead of your own')
    .option('--apply', 'put the plan into holdfast.yaml when the SLA is met');
  examples(command, [
    ['holdfast plan --sla gold', 'what the peers that you have allow'],
    [
      'holdfast plan --sla 99.95 --regions 3 --churn 2%/day',
      'an SLA of your own, among peers that come and go',
    ],
    ['holdfast plan --sla platinum --swarm ideas.yaml', 'before there is a swarm'],
    ['holdfast plan --sla gold --apply', 'use it for new backups'],
  ]);
  runs(command, makePlan);
}

interface Given {
  readonly candidates: SlaRequest['candidates'];
  readonly rules?: NonNullable<SlaRequest['rules']>;
  readonly configured: ConfiguredLimits;
  /** Null: listed under their own names. */
  readonly names: PeerNames | null;
}

async function makePlan(invocation: Invocation, options: Options): Promise<ExitCode> {
  const { console, vault } = invocation;
  const { parseLevel, parsePlanSettings } = await import('../config/plan-options.ts');
  const { planSla } = await import('@holdfast/placement/sla');
  const { plannedSettings } = await import('../vault/planned-settings.ts');
  const { planJson, planLines } = await import('../output/plan-view.ts');
  if (options.apply && options.swarm !== undefined) {
    throw new HoldfastError('USAGE', '--apply does not go with --swarm: those peers are not there.', {
      hint: 'Leave out --swarm to plan with the peers of the vault.',
    });
  }
  const request = { level: parseLevel(options), settings: parsePlanSettings(options) };
  const { candidates, rules = {}, configured, names } = await given(invocation, options);
  const plan = planSla({ ...request, candidates, rules });
  const hasDomains = candidates.some((peer) => (peer.failureDomains ?? []).length > 0);
  const settings = plannedSettings(plan, configured, hasDomains);
  const applied = options.apply ? await apply(vault, plan, settings) : null;
  return console.outcome(
    { ...planJson(plan, settings, names), ...(applied ? { applied } : {}) },
    () => [...planLines(plan, settings, names, console.colors), ...(applied ? appliedLines(applied) : [])],
    plan.met ? null : notMet(plan, options.apply === true),
  );
}

/** Peers that are not there are planned under the document's rules, those that are under the configured ones. */
async function given({ console, vault, signal }: Invocation, { swarm }: Options): Promise<Given> {
  if (swarm !== undefined) {
    const { readSwarmFile } = await import('../config/swarm-file.ts');
    const { placementSchema } = await import('../config/placement-schema.ts');
    return { candidates: await readSwarmFile(swarm), configured: placementSchema.parse({}), names: null };
  }
  const { openSwarm } = await import('../vault/open-swarm.ts');
  const { plannedPeers } = await import('../vault/planned-peers.ts');
  await using opened = await openSwarm(vault, { probe: true });
  const { leftOut, ...planned } = await plannedPeers(opened, signal, Date.now());
  for (const { peer, reason } of leftOut) console.warn(`${peer.name} is left out: it ${reason}.`);
  return { ...planned, configured: opened.config.placement };
}

interface Applied {
  readonly changed: boolean;
  readonly policyVersion: number;
}

/** Null when the plan does not keep the SLA: then nothing is written. */
async function apply(vault: string, plan: SlaPlan, settings: WrittenPlan | null): Promise<Applied | null> {
  if (settings === null) {
    throw new HoldfastError(
      'USAGE',
      'Backups place one copy of each shard: --apply goes with --scheme erasure.',
      {
        hint: 'Leave out --scheme.',
      },
    );
  }
  if (!plan.met) return null;
  const { setPlan } = await import('../config/edit.ts');
  const { config, changed } = await setPlan(vault, settings);
  return { changed, policyVersion: config.policy.version };
}

const appliedLines = ({ changed, policyVersion }: Applied): string[] => [
  '',
  changed
    ? `Written to holdfast.yaml as policy version ${policyVersion}. New backups use it; what is stored stays as it is.`
    : 'holdfast.yaml has this code already.',
];

function notMet({ level, suggestions }: SlaPlan, wasToApply: boolean): HoldfastError {
  const [first] = suggestions;
  return new HoldfastError(
    'PLACEMENT_REFUSED',
    `${level.name} is not met by these peers${wasToApply ? '; holdfast.yaml was not changed' : ''}.`,
    {
      hint: first ? `What would meet it: ${first.text}.` : 'Ask for less: a lower level, or fewer regions.',
      details: { level: level.name, suggestions: suggestions.map(({ text }) => text) },
    },
  );
}
