import {
  type AvailabilityFigures,
  formatAvailability,
  formatDowntime,
  type GroupLoss,
  peersOf,
  type SlaPlan,
  type Suggestion,
} from '@holdfast/placement/sla';
import type { WrittenPlan } from '../config/edit.ts';
import { formatCount } from '../units/count.ts';
import type { PeerNames } from '../vault/peer-names.ts';
import { settingLines } from '../vault/planned-settings.ts';
import type { Colors } from './colors.ts';
import { facts } from './table.ts';

/** Infinitely many nines (nothing ever fails) are null. */
export function planJson(plan: SlaPlan, settings: WrittenPlan | null, names: PeerNames | null): object {
  return { ...plan, suggestions: plan.suggestions.map((it) => suggestionJson(it, names)), settings };
}

function suggestionJson(suggestion: Suggestion, names: PeerNames | null): object {
  if (suggestion.kind === 'fewer-peers') {
    return { ...suggestion, without: suggestion.without.map((id) => names?.of(id) ?? id) };
  }
  const { added, ...rest } = suggestion;
  return { ...rest, added: added.map(({ region, uptime }) => ({ region, uptime })) };
}

export function planLines(
  plan: SlaPlan,
  settings: WrittenPlan | null,
  names: PeerNames | null,
  colors: Colors,
): string[] {
  return [
    headline(plan, colors),
    ...facts(figures(plan)),
    ...attention(plan, names, colors),
    ...waiting(plan, colors),
    '',
    'Step by step',
    ...plan.explanation.map((step, i) => `  ${String(i + 1).padStart(2)}. ${step}`),
    '',
    ...(settings === null
      ? ['Backups place one copy of each shard: there is no setting for a plan with several.']
      : [
          `In holdfast.yaml${plan.met ? '' : ' (the nearest to it)'}`,
          ...settingLines(settings).map((line) => `  ${line}`),
        ]),
  ];
}

function headline({ met, level }: SlaPlan, colors: Colors): string {
  return met
    ? `${colors.green('✓')} ${colors.bold(`${level.name} is met`)}`
    : `${colors.red('✗')} ${colors.bold(`${level.name} is not met; the nearest to it is`)}`;
}

function figures(plan: SlaPlan): [string, string][] {
  const { code, cost, peers, level } = plan;
  const copies = code.copies > 1 ? `, each on ${code.copies} peers` : '';
  const assumed = peers.assumed > 0 ? `; uptime of ${peers.assumed} assumed` : '';
  return [
    [
      'code',
      `any ${code.k} of ${code.k + code.m} shards${copies}: ${formatCount(peersOf(code), 'peer')} a partition`,
    ],
    ['storage', `${number(cost.storage)} bytes for each byte of data`],
    ['availability', `${availability(plan.reached)}; asked for ${formatAvailability(1 - level.uptime)}`],
    ['on average', availability(plan.average)],
    ['losing a region', loss(plan.regionLoss[0]!)],
    ['losing an operator', loss(plan.operatorLoss)],
    ['new backups', placing(plan)],
    ['repair', `${formatCount(cost.readPerLostByte, 'byte')} read for each byte lost`],
    [
      'peers',
      `${formatCount(peers.usable)} of ${formatCount(peers.operators, 'operator')} in ${formatCount(peers.regions, 'region')}${assumed}`,
    ],
  ];
}

function attention(plan: SlaPlan, names: PeerNames | null, colors: Colors): string[] {
  if (plan.met) return [];
  const without = (it: Suggestion): string =>
    it.kind === 'fewer-peers' ? ` (${it.without.map((id) => names?.of(id) ?? id).join(', ')})` : '';
  return [
    '',
    'What is missing',
    ...plan.shortfalls.map(({ text }) => `  ${colors.yellow('!')} ${text}`),
    ...(plan.metInstead === null ? [] : [`  ${plan.metInstead} is met now`]),
    ...(plan.suggestions.length === 0 ? [] : ['', 'What would meet it']),
    ...plan.suggestions.map((it) => `  ${it.text}${without(it)}`),
  ];
}

/** Nothing is lost while backups wait; but whoever chooses the code should know that they will. */
function waiting({ met, code, peers }: SlaPlan, colors: Colors): string[] {
  const spare = peers.usable - peersOf(code);
  if (!met || spare >= peers.sparesWanted) return [];
  const away = spare === 0 ? 'any peer is' : `more than ${formatCount(spare, 'peer')} are`;
  return [
    '',
    `  ${colors.yellow('!')} New backups have to wait while ${away} away. Admit more peers, or plan with --spares ${peers.sparesWanted}.`,
  ];
}

const placing = ({ code, peers, placeable }: SlaPlan): string =>
  `${formatAvailability(placeable.unavailability)} of the time, with ${peers.usable - peersOf(code)} peers to spare`;

const availability = ({ unavailability, nines, downtimeSecondsPerYear }: AvailabilityFigures): string =>
  unavailability === 0
    ? '100 %'
    : `${formatAvailability(unavailability)} (${number(nines)} nines, down ${formatDowntime(downtimeSecondsPerYear)} a year)`;

const loss = ({ name, shardsLost, survives, during }: GroupLoss): string =>
  survives
    ? `up to ${formatCount(shardsLost, 'shard')} (${name}), meanwhile ${formatAvailability(during.unavailability)}`
    : `up to ${formatCount(shardsLost, 'shard')} (${name}), more than can be borne`;

const number = (value: number): string => String(Number(value.toPrecision(3)));
