import { createCipheriv } from 'node:crypto';
import { emoji, messageBody, personName, sentence, word } from '../../tools/demo/chat-text.ts';
import { SeededRandom } from '../../tools/demo/random.ts';
import type { TableName } from './chat-schema.ts';
import { ATTACHMENT, type ChatSize } from './chat-size.ts';

/** 1 January 2025, in seconds; the service is a year old. */
const YEAR_START = 1_735_689_600;
const YEAR = 365 * 86_400;
const ZEROS = Buffer.alloc(ATTACHMENT.mostBytes);
const KINDS = ['public', 'public', 'private', 'direct'];
const NULL = '\\N';

/** Lines of COPY's text format, the same for the same seed and size. No key is there twice. */
export class ChatRows {
  readonly #size: ChatSize;
  readonly #random: SeededRandom;

  constructor(size: ChatSize, seed: number) {
    this.#size = size;
    this.#random = new SeededRandom(seed);
  }

  *lines(table: TableName): Generator<string> {
    if (table === 'memberships') yield* this.#memberships();
    else if (table === 'reactions') yield* this.#reactions();
    else for (let id = 1; id <= this.#size[table]; id++) yield this.#row(table, id).join('\t');
  }

  #row(table: Exclude<TableName, 'memberships' | 'reactions'>, id: number): (string | number)[] {
    const random = this.#random;
    switch (table) {
      case 'users': {
        const name = personName(random);
        const handle = `${name.split(' ')[0]!.toLowerCase()}${id}`;
        const settings = { theme: random.pick(['dark', 'light']), digest: random.below(24), muted: [] };
        const since = YEAR_START + random.below(YEAR / 2);
        const seen = time(since + random.below(YEAR / 2));
        const email = `${handle}@${word(random)}.example`;
        return [id, handle, name, email, JSON.stringify(settings), time(since), seen];
      }
      case 'channels': {
        const name = `${word(random)}-${word(random)}-${id}`;
        const topic = random.chance(0.7) ? sentence(random, 8) : NULL;
        return [
          id,
          name,
          topic,
          random.pick(KINDS),
          1 + random.below(this.#size.users),
          time(YEAR_START + id),
        ];
      }
      case 'messages':
        return this.#message(id);
      case 'attachments': {
        const message = Math.floor(((id - 0.5) / this.#size.attachments) * this.#size.messages) + 1;
        const content = `\\\\x${this.#attachment().toString('hex')}`;
        return [id, message, `${word(random)}-${random.below(9000)}.jpeg`, 'image/jpeg', content];
      }
    }
  }

  #message(id: number): (string | number)[] {
    const random = this.#random;
    const sent = YEAR_START + ((id - random.next() / 2 ** 32) / this.#size.messages) * YEAR;
    const channel = 1 + random.skewedBelow(this.#size.channels);
    const reply = id > 50 && random.chance(0.15) ? id - 1 - random.below(50) : NULL;
    const edited = random.chance(0.03) ? time(sent + random.below(600)) : NULL;
    const author = 1 + random.skewedBelow(this.#size.users);
    return [id, channel, author, time(sent), edited, reply, messageBody(random)];
  }

  /** As incompressible as a photo: a key stream is the quickest source of such bytes. */
  #attachment(): Buffer {
    const { leastBytes, mostBytes } = ATTACHMENT;
    const length = Math.floor(leastBytes * (mostBytes / leastBytes) ** (this.#random.next() / 2 ** 32));
    const key = Buffer.alloc(16);
    for (let i = 0; i < 16; i += 4) key.writeUInt32LE(this.#random.next(), i);
    return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(ZEROS.subarray(0, length));
  }

  *#memberships(): Generator<string> {
    const { users, channels, messages, memberships } = this.#size;
    const random = this.#random;
    const seen = new Set<number>();
    for (let i = 0; i < memberships; i++) {
      const [channel, user] = [1 + random.skewedBelow(channels), 1 + random.below(users)];
      const read = random.chance(0.8) ? 1 + random.below(messages) : NULL;
      const role = random.chance(0.05) ? 'moderator' : 'member';
      if (seen.has(channel * 1e6 + user)) continue;
      seen.add(channel * 1e6 + user);
      yield [channel, user, role, time(YEAR_START + random.below(YEAR)), read].join('\t');
    }
  }

  *#reactions(): Generator<string> {
    const { users, messages, reactions } = this.#size;
    const random = this.#random;
    for (let i = 1; i <= reactions; i++) {
      // There are more messages than reactions: none gets two, so that no reaction can be there twice.
      const message = Math.ceil((i / reactions) * messages);
      const at = time(YEAR_START + YEAR * (i / reactions) + random.below(1000));
      yield [message, 1 + random.below(users), emoji(random), at].join('\t');
    }
  }
}

const time = (seconds: number): string => new Date(Math.floor(seconds * 1000)).toISOString();
