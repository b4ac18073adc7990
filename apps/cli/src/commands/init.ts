import type { Command } from 'commander';
import { examples, type Invocation, runs } from '../invocation.ts';
import { phraseLines } from '../output/phrase-view.ts';
import { facts } from '../output/table.ts';
import { parseCount } from '../units/count.ts';
import type { CreatedVault } from '../vault/create.ts';

interface InitOptions {
  readonly k: string;
  readonly m: string;
  readonly maxPerOperator?: string;
  readonly swarm: string;
  readonly showPhrase?: boolean;
}

export function registerInit(program: Command): void {
  const command = program
    .command('init')
    .summary('create a vault: keys, swarm authority, configuration')
    .description(
      'Creates a vault: the root secret, your identity towards peers, the authority of your swarm, an empty catalog and a ' +
        'commented holdfast.yaml. With HOLDFAST_PASSPHRASE or HOLDFAST_PASSPHRASE_FILE set, the root secret is protected ' +
        'by that passphrase.',
    )
    .option('--k <count>', 'shards needed to rebuild a partition; fewer reveal nothing', '4')
    .option('--m <count>', 'parity shards: peers of a partition that may be lost', '2')
    .option(
      '--max-per-operator <count>',
      "most shards of a partition on one operator's peers (default: m, below k)",
    )
    .option('--swarm <name>', "the swarm's name, for people", 'holdfast')
    .option('--show-phrase', 'show the recovery phrase even when the output is no terminal');
  examples(command, [
    ['holdfast init', 'in ~/.holdfast, any 4 of 6 shards'],
    ['holdfast init --vault /srv/vault --k 10 --m 4', 'elsewhere, for a larger swarm'],
    ['HOLDFAST_PASSPHRASE_FILE=/run/secrets/p holdfast init', 'with a passphrase'],
  ]);
  runs(command, init);
}

async function init({ console, vault }: Invocation, options: InitOptions): Promise<void> {
  const { defaultMaxPerOperator } = await import('../config/schema.ts');
  const { environmentPassphrase } = await import('../vault/passphrase.ts');
  const { createVault } = await import('../vault/create.ts');
  const k = parseCount(options.k, '--k', 2, 200);
  const m = parseCount(options.m, '--m', 1, 255 - k);
  const maxPerOperator =
    options.maxPerOperator === undefined
      ? defaultMaxPerOperator(k, m)
      : parseCount(options.maxPerOperator, '--max-per-operator', 1, k - 1);
  const passphrase = await environmentPassphrase();
  const policy = { k, m, maxPerOperator };
  const made = await createVault({ directory: vault, policy, passphrase, swarm: options.swarm });
  const showPhrase = options.showPhrase === true || (process.stdout.isTTY === true && !console.json);
  const { phrase, ...shown } = made;
  console.result(
    {
      vault: shown,
      policy,
      passphrase: passphrase !== null,
      ...(showPhrase ? { recoveryPhrase: phrase } : {}),
    },
    () => initLines(made, policy, passphrase !== null, showPhrase, console.colors),
  );
}

function initLines(
  made: CreatedVault,
  policy: { k: number; m: number; maxPerOperator: number },
  protectedKey: boolean,
  showPhrase: boolean,
  colors: Invocation['console']['colors'],
): string[] {
  const { k, m, maxPerOperator } = policy;
  return [
    `${colors.green('✓')} Made a vault in ${colors.bold(made.directory)}`,
    ...facts([
      ['fingerprint', made.fingerprint],
      ['owner', made.owner],
      [
        'policy',
        `any ${k} of ${k + m} shards rebuild a partition; at most ${maxPerOperator} of them on one operator`,
      ],
      [
        'root key',
        protectedKey ? 'keys/root.key, under your passphrase' : 'keys/root.key, without a passphrase',
      ],
      ['settings', 'holdfast.yaml'],
    ]),
    '',
    ...(showPhrase ? phraseLines(made.phrase, colors) : ['The recovery phrase is shown by: holdfast phrase']),
    '',
    'Next:',
    ...facts([
      ['1.', `find ${k + m} or more peers:          holdfast peers admit REQUEST --name NAME --operator WHO`],
      ['2.', 'say what to back up:           holdfast source add app sqlite /var/lib/app.db'],
      ['3.', 'back it up:                    holdfast backup'],
    ]),
    `Copy ${made.directory}/keys to a safe place: without it, peers do not know you.`,
  ];
}
