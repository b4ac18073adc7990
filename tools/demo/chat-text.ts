import type { SeededRandom } from './random.ts';

/** The most frequent first: they are drawn with a skew, which gives text about the redundancy of real chat. */
const WORDS =
  `the to a I and is you it that of in for on we this have can not be with but so if just at was what do are my
  there me like they no get one all out up will now about when your think yes or know how from then would time see some
  good more need going did right here work why still had well make want also new back thanks really only back them after
  today has tomorrow first by should which much could too than day look where use any fine someone because been way their
  over week maybe before again two last meeting release build check test error server deploy fix database update customer
  problem merged branch review works broken looks file please send call lunch later morning question answer issue ticket
  change version log running tried restart config setting user account login page button screen mobile screenshot design
  color font layout draft document shared link folder export import backup restore disk memory slow fast timeout network
  request response token cache queue worker thread process signal exit code stack trace crash report metric dashboard
  alert threshold latency traffic peak weekend holiday vacation sick office train late coffee kitchen table window door
  keyboard monitor laptop battery charger cable phone number contract invoice payment budget quarter target plan roadmap
  milestone feature flag rollout experiment result feedback survey interview candidate offer team lead manager support
  partner vendor license security audit policy privacy compliance training session workshop slides recording notes summary
  decision proposal option risk cost benefit estimate deadline blocked waiting pending approved rejected closed reopened
  duplicate reproduce steps expected actual environment staging production local container image registry cluster node
  region zone storage volume snapshot replica primary index query table column row migration schema constraint trigger
  transaction lock deadlock vacuum statistics planner cursor batch stream event message channel thread reply reaction
  mention notification digest archive search filter sort group label tag status priority owner reviewer author commit
  rebase conflict hotfix patch minor major stable nightly canary weird strange funny great awesome terrible honest
  obviously apparently definitely probably hopefully unfortunately luckily basically actually literally exactly almost
  already never always sometimes often rarely usually everyone nobody anything nothing somewhere anyway instead although
  while during until since between against without within behind beyond across along around toward upon whether either
  garden weather rain snow sunny cloud river mountain bicycle ticket airport hotel museum concert guitar piano novel movie
  recipe bread cheese tomato soup noodles salad pepper garlic chocolate birthday present family daughter brother neighbour`
    .trim()
    .split(/\s+/);

const NAMES =
  `Ada Bruno Chiara Dmitri Elif Farah Goran Hana Ines Jonas Kofi Lena Mateo Noor Olga Pavel Quinn Rosa Sami Tove
  Umar Vera Wanda Ximena Yusuf Zoe Amara Bjorn Carmen Deniz Emre Freya Gita Hugo Iris Jamal Keiko Luca Mina Nils`
    .trim()
    .split(/\s+/);

const EMOJI = ['👍', '🎉', '😂', '❤️', '👀', '🚀', '✅', '🙏', '😅', '🔥', '🤔', '💯', '👏', '😢', '☕', '🐛'];
const ENDS = ['.', '.', '.', '?', '!', '', '', ' :)', ' …'];

export const word = (random: SeededRandom): string => WORDS[random.skewedBelow(WORDS.length)]!;
export const personName = (random: SeededRandom): string => `${random.pick(NAMES)} ${random.pick(NAMES)}son`;
export const emoji = (random: SeededRandom): string => EMOJI[random.skewedBelow(EMOJI.length)]!;

export function sentence(random: SeededRandom, words: number): string {
  const first = word(random);
  let text = first.charAt(0).toUpperCase() + first.slice(1);
  for (let i = 1; i < words; i++) text += ` ${word(random)}`;
  return text + random.pick(ENDS);
}

/** A message of one to a few sentences, now and then with what people paste: ticket numbers, links, commits. */
export function messageBody(random: SeededRandom): string {
  let text = sentence(random, 2 + random.skewedBelow(22));
  while (random.chance(0.45)) text += ` ${sentence(random, 3 + random.skewedBelow(18))}`;
  const pasted = random.below(20);
  if (pasted === 0) text += ` #${10_000 + random.below(60_000)}`;
  else if (pasted === 1) text += ` https://wiki.example.net/${word(random)}/${random.next().toString(36)}`;
  else if (pasted === 2) text += ` ${random.next().toString(16)}${random.next().toString(16)}`;
  else if (pasted === 3) text += ` ${emoji(random)}`;
  return text;
}

/** `lines` lines as a server logs them. */
export function logText(random: SeededRandom, lines: number): string {
  let text = '';
  for (let i = 0; i < lines; i++) {
    const time = new Date(1_750_000_000_000 + random.next()).toISOString();
    text += `${time} ${random.pick(['INFO', 'INFO', 'INFO', 'WARN', 'ERROR'])} [${word(random)}-${random.below(32)}] `;
    text += `${sentence(random, 6)} took=${random.below(5000)}ms id=${random.next().toString(16)}\n`;
  }
  return text;
}
