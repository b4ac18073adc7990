import type { Command } from 'commander';
import { examples, type Invocation, runs } from '../invocation.ts';

interface PeerOptions {
  readonly directory?: string;
}

interface InitOptions extends PeerOptions {
  readonly name: string;
  readonly operator: string;
  readonly region: string;
  readonly address?: string;
}

interface RunOptions extends PeerOptions {
  readonly listen: string;
  readonly capacity: string;
  readonly quota?: string;
}

export function registerPeer(program: Command): void {
  const peer = program
    .command('peer')
    .helpCommand(false)
    .summary('lend disk to a swarm from this machine')
    .description(
      'Runs on the machine that lends disk. What is stored there looks random and can be read by nobody there.',
    );
  examples(peer, [
    [
      'holdfast peer init --name attic --operator anna --region eu/de/berlin --address attic.example.net:4400',
      'prints a request for the owner',
    ],
    ['holdfast peer accept hf-grant:…', 'what the owner sent back'],
    ['holdfast peer run --listen 0.0.0.0:4400 --capacity 100GiB', 'serves until it is stopped'],
  ]);

  const init = directoryOption(peer.command('init'))
    .summary('make an identity and a request to join')
    .description(
      'Makes an identity for this peer and prints a request. Give it to the owner of the swarm; it holds no secret.',
    )
    .requiredOption('--name <name>', 'what you call this peer')
    .requiredOption('--operator <who>', 'who runs it')
    .requiredOption('--region <region>', 'continent/country/site, such as eu/de/berlin')
    .option('--address <host:port>', 'where owners reach it, if you know');
  examples(init, [
    [
      'holdfast peer init --name attic --operator anna --region eu/de/berlin --address attic.example.net:4400',
      'prints hf-request:…',
    ],
  ]);
  runs(init, initialise);

  const request = directoryOption(peer.command('request'))
    .summary('print the request to join again')
    .description('Prints the request of "peer init" again, for instance to renew the membership.');
  examples(request, [['holdfast peer request', 'prints hf-request:…']]);
  runs(request, printRequest);

  const accept = directoryOption(peer.command('accept'))
    .summary('store the membership that the owner granted')
    .description('Checks and stores the grant that "holdfast peers admit" printed for this peer.')
    .argument('<grant>', 'the text that begins with hf-grant:');
  examples(accept, [['holdfast peer accept hf-grant:…', 'now it can run']]);
  runs(accept, acceptMembership);

  const run = directoryOption(peer.command('run'))
    .summary('serve until stopped')
    .description(
      'Serves shards to the owners of the swarm until it is stopped (Ctrl-C, SIGTERM). Its log goes to standard error, one ' +
        'JSON object a line. With --json, one object with address and process id is printed as soon as it serves.',
    )
    .option('--listen <host:port>', 'address to serve on; port 0 lets the system choose', '0.0.0.0:4400')
    .option('--capacity <size>', 'how much disk to lend', '100GiB')
    .option('--quota <size>', 'how much of it one owner may use (default: all)');
  examples(run, [
    [
      'holdfast peer run --directory /srv/holdfast --listen 0.0.0.0:4400 --capacity 100GiB',
      'for a service unit',
    ],
  ]);
  runs(run, serve);
}

const directoryOption = (command: Command): Command =>
  command.option(
    '-d, --directory <directory>',
    "this peer's directory (default: $HOLDFAST_PEER, else ~/.holdfast-peer)",
  );

async function initialise({ console }: Invocation, options: InitOptions): Promise<void> {
  const { initPeer, joinRequest } = await import('@holdfast/node');
  const { parseAddress } = await import('../vault/address.ts');
  const directory = await peerDirectory(options);
  const { host, port } =
    options.address === undefined ? { host: '', port: 0 } : parseAddress(options.address);
  const { name, operator, region } = options;
  const { id } = await initPeer({ directory, name, operator, region, host, port });
  const request = await joinRequest(directory);
  console.result({ id, directory, request }, () => [
    `${console.colors.green('✓')} Made the identity of ${console.colors.bold(name)} in ${directory}`,
    `  ${id}`,
    '',
    'Send this to the owner of the swarm, who runs "holdfast peers admit" with it:',
    '',
    `  ${request}`,
  ]);
}

async function printRequest({ console }: Invocation, options: PeerOptions): Promise<void> {
  const { joinRequest } = await import('@holdfast/node');
  const request = await joinRequest(await peerDirectory(options));
  console.result({ request }, () => [request]);
}

async function acceptMembership({ console }: Invocation, options: PeerOptions, grant: string): Promise<void> {
  const { acceptGrant } = await import('@holdfast/node');
  const { formatMoment } = await import('../units/duration.ts');
  const { jsonTime } = await import('../output/json.ts');
  const directory = await peerDirectory(options);
  const { name, member } = await acceptGrant(directory, grant);
  const { id, operator, region, validUntil } = member;
  console.done({ id, name, operator, region, validUntil: jsonTime(validUntil), directory }, () => [
    `${console.colors.green('✓')} ${console.colors.bold(name)} is a member of the swarm until ${formatMoment(validUntil)}.`,
    '  Start it with: holdfast peer run',
  ]);
}

async function serve({ console, signal }: Invocation, options: RunOptions): Promise<void> {
  const { peerLogger, startPeer } = await import('@holdfast/node');
  const { formatAddress, parseAddress } = await import('../vault/address.ts');
  const { formatBytes, parseBytes } = await import('../units/bytes.ts');
  const capacityBytes = parseBytes(options.capacity);
  const ownerQuotaBytes = options.quota === undefined ? undefined : parseBytes(options.quota);
  const { host, port } = parseAddress(options.listen, { anyPort: true });
  const directory = await peerDirectory(options);
  const logger = peerLogger(console.quiet ? 'warn' : 'info');
  const peer = await startPeer({ directory, host, port, capacityBytes, ownerQuotaBytes, logger });
  const announced = {
    id: peer.id,
    host: peer.host,
    port: peer.port,
    pid: process.pid,
    directory,
    capacityBytes,
  };
  console.done(announced, () => [
    `Serving ${formatBytes(capacityBytes)} on ${formatAddress(peer)} as ${peer.id}. Stop with Ctrl-C.`,
  ]);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  // Being stopped is how a server's success looks; service managers want 0 for it.
  await peer.close();
}

async function peerDirectory(options: PeerOptions): Promise<string> {
  const { homedir } = await import('node:os');
  const { join, resolve } = await import('node:path');
  return resolve(options.directory ?? process.env.HOLDFAST_PEER ?? join(homedir(), '.holdfast-peer'));
}
