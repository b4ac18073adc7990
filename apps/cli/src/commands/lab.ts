import { HoldfastError } from '@holdfast/contracts';
import type { Command } from 'commander';
import { type CodeOptions, codeOptions, parseCode } from '../config/code-options.ts';
import { examples, type Invocation, runs } from '../invocation.ts';
import type { LabState } from '../lab/state.ts';

interface LabOptions {
  readonly directory: string;
}

interface UpOptions extends LabOptions, CodeOptions {
  readonly peers: string;
  readonly regions: string;
  readonly operators?: string;
  readonly capacity: string;
}

export function registerLab(program: Command): void {
  const lab = program
    .command('lab')
    .helpCommand(false)
    .summary('a swarm of real peer processes on this machine')
    .description(
      'Runs a swarm of real peer processes on this machine: for trying Holdfast out, for demos and for tests.',
    );
  examples(lab, [
    ['holdfast lab up', '12 peers in 4 regions, and a vault that knows them'],
    ['holdfast lab kill 3', 'one dies'],
    ['holdfast lab down', 'everything is gone again'],
  ]);

  const up = codeOptions(directoryOption(lab.command('up')))
    .summary('start a swarm and make a vault for it')
    .description(
      'Makes a vault and peers, admits them, and starts them on 127.0.0.1. They outlive this command.',
    )
    .option('--peers <count>', 'how many', '12')
    .option(
      '--regions <list>',
      'dealt out to the peers in turn',
      'eu/de/berlin,eu/fr/paris,na/us/nyc,as/jp/tokyo',
    )
    .option('--operators <count>', 'dealt out to the peers in turn (default: 6, at most one per peer)')
    .option('--capacity <size>', 'what each peer lends', '100GiB');
  examples(up, [
    ['holdfast lab up', '12 peers, 4 regions, 6 operators'],
    ['holdfast lab up --peers 20 --k 10 --m 4 --operators 10', 'a wider code'],
  ]);
  runs(up, raise);

  const status = directoryOption(lab.command('status'))
    .summary('which peers run')
    .description('Lists the peers and whether they run.');
  examples(status, [['holdfast lab status', 'processes, ports and places']]);
  runs(status, showLab);

  const kill = directoryOption(lab.command('kill'))
    .summary('kill a peer with SIGKILL')
    .description('Kills peers the hard way (SIGKILL), as a power cut would.')
    .argument('<number...>', 'which ones, such as 3 or 3 7');
  examples(kill, [['holdfast lab kill 3 7', 'two die at once']]);
  runs(kill, killPeers);

  const start = directoryOption(lab.command('start'))
    .summary('start a dead peer again')
    .description('Starts peers again, with the same identity, port and shards as before.')
    .argument('<number...>', 'which ones, such as 3 or 3 7');
  examples(start, [['holdfast lab start 3', 'it comes back with all that it had']]);
  runs(start, startPeers);

  const corrupt = directoryOption(lab.command('corrupt'))
    .summary("flip bytes in a peer's stored shards")
    .description('Flips bytes in stored shards, chosen at random, as a failing disk would.')
    .argument('<number>', 'which peer')
    .option('--shards <count>', 'how many shards', '5');
  examples(corrupt, [['holdfast lab corrupt 4 --shards 5', 'restores notice, and use other shards']]);
  runs(corrupt, corruptPeer);

  const down = directoryOption(lab.command('down'))
    .summary('stop all peers and remove everything')
    .description("Stops all peers and removes the lab's directory, its vault and its backups.")
    .option('--keep', 'stop the processes, but keep the files ("lab start" brings them back)');
  examples(down, [['holdfast lab down', 'nothing is left']]);
  runs(down, takeDown);
}

const directoryOption = (command: Command): Command =>
  command.option('-d, --directory <directory>', 'where the lab lives', '.holdfast-lab');

async function raise({ console, signal }: Invocation, options: UpOptions): Promise<void> {
  const { resolve } = await import('node:path');
  const { parseCount } = await import('../units/count.ts');
  const { parseBytes } = await import('../units/bytes.ts');
  const { parseRegions } = await import('../lab/options.ts');
  const { defaultMaxPerOperator } = await import('../config/schema.ts');
  const code = await parseCode(options);
  parseBytes(options.capacity);
  const peers = parseCount(options.peers, '--peers', 1, 200);
  const operators =
    options.operators === undefined
      ? Math.min(6, peers)
      : parseCount(options.operators, '--operators', 1, peers);
  const regions = parseRegions(options.regions);
  const policy = { ...code, maxPerOperator: defaultMaxPerOperator(code.k, code.m) };
  refuseTooFew(peers, operators, policy);
  const { raiseLab } = await import('../lab/up.ts');
  const directory = resolve(options.directory);
  const { capacity } = options;
  const plan = { directory, peers, regions, operators, capacity, policy };
  const state = await raiseLab(plan, (line) => console.note(line), signal);
  const { labJson, labTable } = await import('../output/lab-view.ts');
  const shown = await labJson(directory, state);
  console.result(shown, () => [
    ...labTable(shown, console.colors),
    '',
    `${console.colors.green('✓')} The lab is up. Try:`,
    `    export HOLDFAST_VAULT=${state.vault}`,
    '    holdfast source add docs tree ~/documents',
    '    holdfast backup',
    '    holdfast lab kill 3 && holdfast status',
    '    holdfast restore latest --source docs --to /tmp/restored',
    '    holdfast lab down',
  ]);
}

/** Better now than at the first backup. */
function refuseTooFew(
  peers: number,
  operators: number,
  policy: { k: number; m: number; maxPerOperator: number },
): void {
  const { k, m, maxPerOperator } = policy;
  const byOperator = Array.from({ length: operators }, (_, i) => Math.ceil((peers - i) / operators));
  const room = byOperator.reduce((sum, count) => sum + Math.min(count, maxPerOperator), 0);
  if (room >= k + m) return;
  const message = `${peers} peers of ${operators} operators have room for ${room} shards of a partition, not ${k + m}.`;
  throw new HoldfastError('PLACEMENT_REFUSED', message, {
    hint: `At most ${maxPerOperator} may lie with one operator: add --operators or --peers, or lower --k and --m.`,
    details: { room, needed: k + m },
  });
}

async function showLab({ console }: Invocation, options: LabOptions): Promise<void> {
  const { directory, state } = await load(options);
  const { labJson, labTable } = await import('../output/lab-view.ts');
  const shown = await labJson(directory, state);
  console.result(shown, () => [
    ...labTable(shown, console.colors),
    '',
    `  export HOLDFAST_VAULT=${state.vault}`,
  ]);
}

async function killPeers({ console }: Invocation, options: LabOptions, given: string[]): Promise<void> {
  const { directory, state } = await load(options);
  const { findLabPeer, saveLab } = await import('../lab/state.ts');
  const { stopPeerProcess } = await import('../lab/process.ts');
  const peers = (await numbers(given)).map((number) => findLabPeer(state, number));
  const killed: string[] = [];
  for (const peer of peers) if (await stopPeerProcess(peer, 'SIGKILL')) killed.push(peer.name);
  const dead = new Set(peers.map((peer) => peer.number));
  await saveLab(directory, {
    ...state,
    peers: state.peers.map((peer) => (dead.has(peer.number) ? { ...peer, pid: null } : peer)),
  });
  console.done({ killed }, () => [
    killed.length > 0 ? `Killed ${killed.join(', ')}.` : 'None of them was running.',
  ]);
}

async function startPeers(
  { console, signal }: Invocation,
  options: LabOptions,
  given: string[],
): Promise<void> {
  const { directory, state } = await load(options);
  const { findLabPeer, saveLab } = await import('../lab/state.ts');
  const { isRunning, startPeerProcess } = await import('../lab/process.ts');
  const started: string[] = [];
  let current: LabState = state;
  for (const number of await numbers(given)) {
    const peer = findLabPeer(current, number);
    if (await isRunning(peer)) continue;
    const running = await startPeerProcess(peer, state.capacity, signal);
    const peers = current.peers.map((one) => (one.number === number ? { ...one, ...running } : one));
    current = { ...current, peers };
    await saveLab(directory, current);
    started.push(peer.name);
  }
  console.done({ started }, () => [
    started.length > 0 ? `Started ${started.join(', ')}.` : 'All of them run already.',
  ]);
}

async function corruptPeer(
  { console }: Invocation,
  options: LabOptions & { shards: string },
  given: string,
): Promise<void> {
  const { parseCount } = await import('../units/count.ts');
  const count = parseCount(options.shards, '--shards', 1, 1_000_000);
  const { state } = await load(options);
  const { findLabPeer } = await import('../lab/state.ts');
  const { corruptShards } = await import('../lab/corrupt.ts');
  const peer = findLabPeer(state, (await numbers([given]))[0]!);
  const shards = await corruptShards(peer, count);
  console.done({ peer: peer.name, shards }, () => [
    `Flipped bytes in ${shards.length} shards of ${peer.name}.`,
  ]);
}

async function takeDown({ console }: Invocation, options: LabOptions & { keep?: boolean }): Promise<void> {
  const { directory, state } = await load(options);
  const { saveLab } = await import('../lab/state.ts');
  const { stopPeerProcess } = await import('../lab/process.ts');
  const stopped = await Promise.all(
    state.peers.map((peer) => stopPeerProcess(peer, options.keep ? 'SIGTERM' : 'SIGKILL')),
  );
  const count = stopped.filter(Boolean).length;
  if (options.keep)
    await saveLab(directory, { ...state, peers: state.peers.map((peer) => ({ ...peer, pid: null })) });
  else await (await import('node:fs/promises')).rm(directory, { recursive: true, force: true });
  console.done({ stopped: count, removed: options.keep ? null : directory }, () => [
    `Stopped ${count} peers${options.keep ? '; all files are kept.' : `, removed ${directory}.`}`,
  ]);
}

async function load(options: LabOptions): Promise<{ directory: string; state: LabState }> {
  const { resolve } = await import('node:path');
  const { loadLab } = await import('../lab/state.ts');
  const directory = resolve(options.directory);
  return { directory, state: await loadLab(directory) };
}

async function numbers(given: readonly string[]): Promise<number[]> {
  const { parseCount } = await import('../units/count.ts');
  return [...new Set(given)].map((text) => parseCount(text, "a peer's number", 1, 1_000_000));
}
