import { HoldfastError, type PeerRecord, PROBE_HOUR_MS, PROBE_HOURS_KEPT } from '@holdfast/contracts';
import type { Command } from 'commander';
import { examples, type Invocation, runs } from '../invocation.ts';

interface AdmitOptions {
  readonly name?: string;
  readonly operator?: string;
  readonly region?: string;
  readonly address?: string;
  readonly validDays: string;
}

export function registerPeers(program: Command): void {
  const peers = program
    .command('peers')
    .helpCommand(false)
    .summary('list the peers, admit or remove one')
    .description(
      'Lists the peers: who answers now and how much of the last 30 days, how fast, what is used, and what trouble there was.',
    );
  examples(peers, [
    ['holdfast peers', 'ask all of them now'],
    ['holdfast peers admit hf-request:… --name attic --operator anna', 'let a peer in'],
    ['holdfast peers remove attic', 'stop using one'],
  ]);
  runs(peers, listPeers);

  const admit = peers
    .command('admit')
    .summary('let a peer into the swarm')
    .description(
      'Issues a membership certificate for the peer that made the request (with "holdfast peer init") and prints the ' +
        'grant to paste there. What an option leaves open is taken from the request. Repeat it to renew a membership, or ' +
        'to change what is known of the peer.',
    )
    .argument('<request>', 'the text that begins with hf-request:, or - to read it from standard input')
    .option('--name <name>', 'what to call the peer')
    .option(
      '--operator <who>',
      'who runs it; peers of one operator never get enough shards to rebuild anything',
    )
    .option('--region <region>', 'continent/country/site, such as eu/de/berlin')
    .option('--address <host:port>', 'where it is reached')
    .option('--valid-days <days>', 'how long the membership lasts', '365');
  examples(admit, [
    [
      'holdfast peers admit hf-request:… --name attic --operator anna --region eu/de/berlin',
      'with your own words',
    ],
    ['ssh attic holdfast peer request | holdfast peers admit -', 'as the peer proposes'],
  ]);
  runs(admit, admitPeer);

  const remove = peers
    .command('remove')
    .summary('stop using a peer')
    .description(
      'Marks the peer as left: it gets no new shards and is not asked for old ones. Snapshots with shards there have that ' +
        'many fewer to spare, until they are backed up anew.',
    )
    .argument('<peer>', 'its name or id')
    .option('--force', 'even if some data could then not be restored');
  examples(remove, [['holdfast peers remove attic', 'after its operator gave notice']]);
  runs(remove, removePeer);
}

async function listPeers({ console, vault, signal }: Invocation): Promise<void> {
  const { openSwarm } = await import('../vault/open-swarm.ts');
  const { probePeers } = await import('../vault/probe.ts');
  const { recordProbes } = await import('../vault/record-probes.ts');
  const { uptimes } = await import('../vault/uptime.ts');
  const { peerJson, peerTable } = await import('../output/peers-view.ts');
  await using opened = await openSwarm(vault, { probe: true });
  const peers = [...(await opened.catalog.peers())].sort((a, b) => byName(a.name, b.name));
  const timeout = opened.config.network.probeTimeout;
  const probes = await probePeers(opened.transport, peers, { timeout, signal });
  const now = Date.now();
  const trouble = await recordProbes(opened, probes, now);
  if (trouble) console.warn(`What peers answered was not kept: ${trouble.message}`);
  const known = {
    events: await opened.catalog.peerEvents(),
    uptimes: uptimes(await opened.catalog.peerProbes(now - PROBE_HOURS_KEPT * PROBE_HOUR_MS)),
  };
  console.result(
    probes.map((probe) => peerJson(probe, known)),
    () =>
      probes.length > 0
        ? peerTable(probes, known, console.colors)
        : ['No peers yet. Let one in with: holdfast peers admit REQUEST'],
  );
}

async function admitPeer(
  { console, vault }: Invocation,
  options: AdmitOptions,
  given: string,
): Promise<void> {
  const { parseCount } = await import('../units/count.ts');
  const { parseAddress } = await import('../vault/address.ts');
  const { admit } = await import('../vault/admission.ts');
  const validDays = parseCount(options.validDays, '--valid-days', 1, 3650);
  const address = options.address === undefined ? undefined : parseAddress(options.address);
  const request = given === '-' ? await standardInput() : given;
  const { name, operator, region } = options;
  const { peer, grant, replaced } = await admit(vault, {
    request,
    name,
    operator,
    region,
    address,
    validDays,
  });
  console.result({ peer, grant, replaced }, () => [
    `${console.colors.green('✓')} ${replaced ? 'Renewed' : 'Admitted'} ${console.colors.bold(peer.name)} of ${peer.operator} in ${peer.region}, at ${peer.host}:${peer.port}`,
    '',
    'Now run this on its machine, then start it with "holdfast peer run":',
    '',
    `  holdfast peer accept ${grant}`,
  ]);
}

async function removePeer(
  { console, vault }: Invocation,
  options: { force?: boolean },
  wanted: string,
): Promise<void> {
  const { openForAdministration, findPeer } = await import('../vault/admission.ts');
  const { measureMargins } = await import('../vault/margins.ts');
  await using opened = await openForAdministration(vault);
  const peers = await opened.catalog.peers();
  const peer = findPeer(peers, wanted);
  const rest = new Set(
    peers.filter((one) => one.state === 'active' && one.id !== peer.id).map((one) => one.id),
  );
  const margins = await measureMargins(opened.catalog, rest);
  if ((margins.least ?? 0) < 0 && !options.force) {
    throw new HoldfastError(
      'PLACEMENT_REFUSED',
      `Without ${peer.name}, some partitions would have too few shards left.`,
      {
        hint: 'Back up to other peers first, or add --force if the peer is gone for good.',
        details: { peer: peer.id, partitions: margins.lost },
      },
    );
  }
  const left: PeerRecord = { ...peer, state: 'left' };
  await opened.catalog.putPeer(left);
  console.done({ peer: left, leastMargin: margins.least }, () => [
    `${console.colors.green('✓')} ${peer.name} is no longer used.`,
    ...(margins.least === null ? [] : [`  The weakest partition now has ${margins.least} shards to spare.`]),
  ]);
}

const byName = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true });

async function standardInput(): Promise<string> {
  const { text } = await import('node:stream/consumers');
  return text(process.stdin);
}
