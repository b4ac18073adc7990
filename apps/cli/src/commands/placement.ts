import { HoldfastError, SHARD_BYTES } from '@holdfast/contracts';
import type { Command } from 'commander';
import type { ExitCode } from '../exit-codes.ts';
import { examples, type Invocation, runs } from '../invocation.ts';
import { formatCount } from '../units/count.ts';

export function registerPlacement(program: Command): void {
  const placement = program
    .command('placement')
    .helpCommand(false)
    .summary('check where shards are, and which peers may get some')
    .description('Shows where shards are and why, and whether the rules were kept.');
  examples(placement, [['holdfast placement check', 'whether every placement keeps the rules']]);

  const check = placement
    .command('check')
    .summary('check every placement against the rules')
    .description(
      'Judges every placement by what was recorded when it was made: the policy, the facts of the peers, and the soft rules ' +
        'that it was said not to keep. Asks no peer and needs no passphrase. Exits with 4 when a rule is broken.',
    );
  examples(check, [
    ['holdfast placement check', 'all placements, complete or under way'],
    ['holdfast placement check --json', 'for monitoring'],
  ]);
  runs(check, checkPlacements);

  const peers = placement
    .command('peers')
    .summary('say which peers may get shards, and why others may not')
    .description(
      'Asks all peers, and holds each against every rule: hard ones, which keep it out, and soft ones, which may be relaxed.',
    );
  examples(peers, [
    ['holdfast placement peers', 'what speaks against whom'],
    ['holdfast placement peers --json', 'every check with its figures'],
  ]);
  runs(peers, listEligibility);

  const show = placement
    .command('show')
    .summary('show where the shards of a partition are')
    .description(
      'Shows who holds the shards of a partition, who held them before, under which policy it was placed, and which rules it ' +
        'does not keep. Exits with 4 when it breaks one.',
    )
    .argument('<partition>', 'its number or its id, as other commands show them');
  examples(show, [
    ['holdfast placement show 17', 'by number'],
    ['holdfast placement show 01234567-89ab-4cde-8f01-23456789abcd', 'by id'],
  ]);
  runs(show, showPlacement);
}

async function checkPlacements({ console, vault, signal }: Invocation): Promise<ExitCode> {
  const { auditPlacements } = await import('@holdfast/engine');
  const { openCatalogOf } = await import('../vault/open-catalog.ts');
  const { PeerNames } = await import('../vault/peer-names.ts');
  const { auditJson, auditLines } = await import('../output/placement-view.ts');
  await using opened = await openCatalogOf(vault);
  const onProgress = console.progress.count('checking', 'placement');
  const audit = await auditPlacements(opened.catalog, { signal, onProgress });
  console.progress.clear();
  const names = new PeerNames(await opened.catalog.peers());
  const failure =
    audit.broken.length === 0
      ? null
      : broken(`${formatCount(audit.broken.length, 'placement')} of ${audit.placements} break a rule.`, {
          broken: audit.broken.length,
        });
  return console.outcome(auditJson(audit), () => auditLines(audit, names, console.colors), failure);
}

async function listEligibility({ console, vault, signal }: Invocation): Promise<void> {
  const { checkEligibility } = await import('@holdfast/placement');
  const { openSwarm } = await import('../vault/open-swarm.ts');
  const { enginePolicy } = await import('../vault/placement-policy.ts');
  const { probePeers } = await import('../vault/probe.ts');
  const { recordProbes } = await import('../vault/record-probes.ts');
  const { eligibilityJson, eligibilityLines } = await import('../output/placement-view.ts');
  await using opened = await openSwarm(vault, { probe: true });
  const { catalog, config, transport } = opened;
  const peers = await catalog.peers();
  const { k, m, placement } = await enginePolicy(vault, config, peers);
  const probes = await probePeers(transport, peers, { timeout: config.network.probeTimeout, signal });
  const now = Date.now();
  const trouble = await recordProbes(opened, probes, now);
  if (trouble) console.warn(`What peers answered was not kept: ${trouble.message}`);
  const rules = { ...placement!.current.settings, k, m, copies: 1, shardBytes: SHARD_BYTES };
  const reports = probes.map(({ peer, status, roundTrip, failure }) => ({
    peer,
    failure,
    report: checkEligibility(
      { record: peer, status: status ?? undefined, latencyMs: roundTrip ?? undefined },
      rules,
      { now },
    ),
  }));
  console.result(reports.map(eligibilityJson), () => eligibilityLines(reports, console.colors));
}

async function showPlacement({ console, vault }: Invocation, _: object, wanted: string): Promise<ExitCode> {
  const { judgePlacement, RecordedViews } = await import('@holdfast/engine');
  const { openCatalogOf } = await import('../vault/open-catalog.ts');
  const { findPlacement } = await import('../vault/find-placement.ts');
  const { PeerNames } = await import('../vault/peer-names.ts');
  const { placementJson, placementLines } = await import('../output/placement-view.ts');
  await using opened = await openCatalogOf(vault);
  const { catalog } = opened;
  const placement = await findPlacement(catalog, wanted);
  const peers = await catalog.peers();
  const names = new PeerNames(peers);
  const known = new Map(peers.map((peer) => [peer.id, peer]));
  const verdict = await judgePlacement(placement, known, new RecordedViews(catalog));
  const { id } = placement.stripe;
  return console.outcome(
    placementJson(placement, verdict, names),
    () => placementLines(placement, verdict, names, console.colors),
    verdict.violations.length === 0
      ? null
      : broken(`The placement of partition ${id} breaks a rule.`, { partition: id }),
  );
}

const broken = (message: string, details: Record<string, unknown>): HoldfastError =>
  new HoldfastError('VERIFY_FAILED', message, {
    hint: 'The placements named above were changed after they were made, or made by a fault of Holdfast: report it.',
    details,
  });
