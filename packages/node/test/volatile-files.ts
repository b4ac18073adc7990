import { dirname } from 'node:path';
import type { StoreFiles } from '../src/store/store-files.ts';

interface Content {
  readonly bytes: Uint8Array;
  readonly modified: number;
}
interface Inode {
  current: Content;
  /** What survives; null when the file was never synced. */
  durable: Content | null;
}
type Entry =
  | { readonly do: 'link'; readonly path: string; readonly inode: Inode }
  | { readonly do: 'rename'; readonly path: string; readonly to: string }
  | { readonly do: 'unlink'; readonly path: string };

const fail = (code: string): Error => Object.assign(new Error(code), { code });

/**
 * A file system that forgets what was not made durable, as a journalling one does when the power fails: directory
 * changes survive up to some point in their order, not before the newest one that a directory sync covered; a file's
 * bytes survive as of its own sync, else as a torn piece.
 */
export class VolatileFiles implements StoreFiles {
  readonly #root: string;
  readonly #log: Entry[] = [];
  #committed = 0;
  #tree = new Map<string, Inode>();
  readonly #directories = new Set<string>();
  readonly #pause: (step?: 'sync') => Promise<void>;

  /**
   * @param pause called between the steps of each operation, with `sync` where the disk is waited for; never resolves once the
   * power is off.
   */
  constructor(root: string, pause: (step?: 'sync') => Promise<void>) {
    this.#root = root;
    this.#pause = pause;
  }

  /** The file system after the power came back; `choose(n)` picks one of n possibilities. */
  afterPowerLoss(root: string, choose: (n: number) => number): VolatileFiles {
    const survivor = new VolatileFiles(root, async () => {});
    const end = this.#committed + choose(this.#log.length - this.#committed + 1);
    for (const entry of this.#log.slice(0, end)) apply(survivor.#tree, entry);
    for (const [path, inode] of survivor.#tree) {
      const { bytes } = inode.current;
      const torn = new Uint8Array(bytes).slice(0, choose(bytes.length + 1)).fill(0, choose(bytes.length + 1));
      const content = inode.durable ?? { bytes: torn, modified: 0 };
      survivor.#tree.set(path, { current: content, durable: content });
    }
    for (const directory of this.#directories) survivor.#directories.add(directory);
    return survivor;
  }

  names(): string[] {
    return [...this.#tree.keys()];
  }

  async list(directory: string): Promise<string[]> {
    await this.#pause();
    const path = this.#relative(directory);
    if (!this.#directories.has(path)) throw fail('ENOENT');
    const below = [...this.#tree.keys(), ...this.#directories].filter((entry) => dirname(entry) === path);
    return below.map((entry) => entry.slice(path.length + 1));
  }

  async makeDirectory(path: string): Promise<void> {
    await this.#pause();
    this.#directories.add(this.#relative(path));
  }

  async create(path: string, bytes: Uint8Array, modified: number, created?: () => void): Promise<void> {
    await this.#pause();
    const name = this.#relative(path);
    if (this.#tree.has(name)) throw fail('EEXIST');
    const inode: Inode = { current: { bytes: new Uint8Array(0), modified: 0 }, durable: null };
    this.#change({ do: 'link', path: name, inode });
    created?.();
    await this.#pause();
    inode.current = { bytes: new Uint8Array(bytes), modified };
    await this.#pause('sync');
    inode.durable = inode.current;
    await this.#pause();
  }

  async read(path: string, into: Uint8Array, offset: number, length: number): Promise<number> {
    await this.#pause();
    const part = this.#inode(path).current.bytes.subarray(offset, offset + length);
    into.set(part);
    return part.length;
  }

  async facts(path: string): Promise<{ bytes: number; modified: number }> {
    await this.#pause();
    const { bytes, modified } = this.#inode(path).current;
    return { bytes: bytes.length, modified };
  }

  async touch(path: string, modified: number): Promise<void> {
    const inode = this.#inode(path);
    inode.current = { ...inode.current, modified };
    await this.#pause();
    inode.durable = inode.current;
    await this.#pause();
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#pause();
    this.#inode(from);
    this.#change({ do: 'rename', path: this.#relative(from), to: this.#relative(to) });
    await this.#pause();
  }

  async remove(path: string): Promise<void> {
    await this.#pause();
    if (this.#tree.has(this.#relative(path))) this.#change({ do: 'unlink', path: this.#relative(path) });
    await this.#pause();
  }

  async syncDirectory(path: string): Promise<void> {
    const name = this.#relative(path);
    const touches = (entry: Entry): boolean =>
      dirname(entry.path) === name || (entry.do === 'rename' && dirname(entry.to) === name);
    const covered = this.#log.findLastIndex(touches) + 1;
    await this.#pause('sync');
    this.#committed = Math.max(this.#committed, covered);
    await this.#pause();
  }

  #change(entry: Entry): void {
    this.#log.push(entry);
    apply(this.#tree, entry);
  }

  #inode(path: string): Inode {
    const inode = this.#tree.get(this.#relative(path));
    if (inode === undefined) throw fail('ENOENT');
    return inode;
  }

  #relative(path: string): string {
    return path.slice(this.#root.length) || '/';
  }
}

function apply(tree: Map<string, Inode>, entry: Entry): void {
  if (entry.do === 'link') tree.set(entry.path, entry.inode);
  else if (entry.do === 'unlink') tree.delete(entry.path);
  else {
    tree.set(entry.to, tree.get(entry.path)!);
    tree.delete(entry.path);
  }
}
