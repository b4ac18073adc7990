import { Column } from './column.ts';

/**
 * Partitions whose column families belong to the same rows, transitively: disjoint sets (Tarjan) for the question "same group?",
 * and a ring through each set to list it. A member that is gone stays in its ring as long as others are there, since
 * what it linked stays linked: the rows are the same. With the last present member the group is dissolved.
 */
export class SiblingGroups {
  /** 0: a root. */
  readonly #parents = Column.ofWords();
  /** 0: alone. */
  readonly #next = Column.ofWords();
  /** At roots: members that are present. */
  readonly #present = Column.ofWords();

  root(member: number): number {
    let root = member;
    for (let up = this.#parents.get(root); up !== 0; up = this.#parents.get(root)) root = up;
    for (let at = member; at !== root; ) {
      const up = this.#parents.get(at);
      this.#parents.set(at, root);
      at = up;
    }
    return root;
  }

  isAlone(member: number): boolean {
    return this.#next.get(member) === 0;
  }

  /** Including the one asked for, and those that are gone. */
  *members(member: number): Generator<number> {
    let at = member;
    do {
      yield at;
      at = this.#next.get(at) || at;
    } while (at !== member);
  }

  join(a: number, b: number): void {
    const [rootA, rootB] = [this.root(a), this.root(b)];
    if (rootA === rootB) return;
    const [presentA, presentB] = [this.#present.get(rootA), this.#present.get(rootB)];
    const [large, small] = presentA < presentB ? [rootB, rootA] : [rootA, rootB];
    this.#parents.set(small, large);
    this.#present.set(small, 0);
    this.#present.set(large, presentA + presentB);
    const [afterA, afterB] = [this.#next.get(a) || a, this.#next.get(b) || b];
    this.#next.set(a, afterB);
    this.#next.set(b, afterA);
  }

  arrive(member: number): void {
    const root = this.root(member);
    this.#present.set(root, this.#present.get(root) + 1);
  }

  /** @returns the members of the group if it is dissolved with this one, else none. */
  leave(member: number): number[] {
    const root = this.root(member);
    const present = this.#present.get(root) - 1;
    this.#present.set(root, present);
    if (present > 0) return [];
    const members = [...this.members(member)];
    for (const each of members) {
      this.#parents.set(each, 0);
      this.#next.set(each, 0);
    }
    return members;
  }

  get bytes(): number {
    return this.#parents.bytes + this.#next.bytes + this.#present.bytes;
  }
}
