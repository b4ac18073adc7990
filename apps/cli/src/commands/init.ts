import type { Command } from 'commander';
import { type Code, type CodeOptions, codeInWords, codeOptions, parseCode } from '../config/code-options.ts';
import { examples, type Invocation, runs } from '../invocation.ts';
import { phraseLines } from '../output/phrase-view.ts';
import { facts } from '../output/table.ts';
import { parseCount } from '../units/count.ts';
import type { CreatedVault } from '../vault/create.ts';

interface InitOptions extends CodeOptions {
  readonly maxPerOperator?: string;
  readonly swarm: string;
  readonly showPhrase?: boolean;
}

export function registerInit(program: Command): void {
  const command = codeOptions(program.command('init'))
    .summary('create a vault: keys, swarm authority, configuration')
    .description(
      'Creates a vault: the root secret, your identity towards peers, the authority of your swarm, an empty catalog and a ' +
        'commented holdfast.yaml. With HOLDFAST_PASSPHRASE or HOLDFAST_PASSPHRASE_FILE set, the root secret is protected ' +
        'by that passphrase.',
    )
    .option(
      '--max-per-operator <count>',
      "most shards of a partition on one operator's peers (default: m, below k)",
    )
    .option('--swarm <name>', "the swarm's name, for people", 'holdfast')
    .option('--show-phrase', 'show the recovery phrase even when the output is no terminal');
  examples(command, [
    ['holdfast init', 'in ~/.holdfast, any 4 of 6 shards'],
    ['holdfast init --vault /srv/vault --k 10 --m 4', 'elsewhere, for a larger swarm'],
    ['holdfast init --k 10 --m 4 --helpers 13', 'where little is to be sent to rebuild a shard'],
    ['HOLDFAST_PASSPHRASE_FILE=/run/secrets/p holdfast init', 'with a passphrase'],
  ]);
  runs(command, init);
}

async function init({ console, vault }: Invocation, options: InitOptions): Promise<void> {
  const { defaultMaxPerOperator } = await import('../config/schema.ts');
  const { environmentPassphrase } = await import('../vault/passphrase.ts');
  const { createVault } = await import('../vault/create.ts');
  const code = await parseCode(options);
  const { k, m } = code;
  const maxPerOperator =
    options.maxPerOperator === undefined
      ? defaultMaxPerOperator(k, m)
      : parseCount(options.maxPerOperator, '--max-per-operator', 1, k - 1);
  const passphrase = await environmentPassphrase();
  const policy = { ...code, maxPerOperator };
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
  policy: Code & { maxPerOperator: number },
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
      ['policy', `${codeInWords(policy)}; at most ${maxPerOperator} shards on one operator`],
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
