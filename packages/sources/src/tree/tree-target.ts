import { type BigIntStats, lstatSync, mkdirSync, readdirSync, realpathSync, renameSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { HoldfastError } from '@holdfast/contracts';
import { PARTIAL_SUFFIX, syncDirectory } from '../file/partial-file.ts';
import { alreadyExists } from '../file/single-file-sink.ts';
import { systemCode, writeError } from '../file/system-errors.ts';

/**
 * The directory in the making, beside its final name. As with files, a leftover is replaced, and a run whose directory was
 * replaced by another's finds out at its end.
 */
export class TreeTarget {
  readonly partial: string;
  readonly #path: string;
  /** Where the old directory lies between the two renames that replace it. */
  readonly #aside: string;
  readonly #overwrite: boolean;
  readonly #identity: BigIntStats;

  private constructor(path: string, overwrite: boolean) {
    this.#path = path;
    this.partial = path + PARTIAL_SUFFIX;
    this.#aside = `${path}.old${PARTIAL_SUFFIX}`;
    this.#overwrite = overwrite;
    mkdirSync(this.partial, 0o700);
    this.#identity = lstatSync(this.partial, { bigint: true });
  }

  /** ALREADY_EXISTS, TARGET_UNWRITABLE, DISK_FULL. */
  static async prepare(given: string, overwrite: boolean): Promise<TreeTarget> {
    try {
      const path = resolveDirectory(given);
      const aside = `${path}.old${PARTIAL_SUFFIX}`;
      // A run that replaced the directory was stopped between its renames: put the old one back first.
      if (statOf(path) === null && statOf(aside) !== null) renameSync(aside, path);
      if (!overwrite && statOf(path) !== null && readdirSync(path, { encoding: 'buffer' }).length > 0) {
        throw alreadyExists(path);
      }
      await rm(path + PARTIAL_SUFFIX, { recursive: true, force: true });
      return new TreeTarget(path, overwrite);
    } catch (error) {
      throw writeError(error, given);
    }
  }

  /** Moves the finished directory to its name. What was written must be durable already. */
  async publish(): Promise<void> {
    if (!this.#isOurs()) {
      throw new HoldfastError('TARGET_UNWRITABLE', `Another restore to ${this.#path} has taken over`, {
        hint: 'Run one restore to a target at a time.',
      });
    }
    try {
      // Replaces an empty directory in one step; anything in it makes the system refuse.
      renameSync(this.partial, this.#path);
    } catch (error) {
      const occupied = ['ENOTEMPTY', 'EEXIST'].includes(systemCode(error));
      if (occupied && !this.#overwrite) throw alreadyExists(this.#path);
      if (!occupied) throw writeError(error, this.#path);
      await this.#replace();
      return;
    }
    await this.#syncParent();
  }

  async #replace(): Promise<void> {
    try {
      await rm(this.#aside, { recursive: true, force: true });
      renameSync(this.#path, this.#aside);
      try {
        renameSync(this.partial, this.#path);
      } catch (error) {
        renameSync(this.#aside, this.#path);
        throw error;
      }
    } catch (error) {
      throw writeError(error, this.#path);
    }
    await this.#syncParent();
    // The restore is complete; what cannot be removed of the old directory is only in the way.
    await rm(this.#aside, { recursive: true, force: true }).catch(() => undefined);
  }

  async #syncParent(): Promise<void> {
    try {
      await syncDirectory(dirname(this.#path));
    } catch (error) {
      throw writeError(error, this.#path);
    }
  }

  async discard(): Promise<void> {
    if (this.#isOurs()) await rm(this.partial, { recursive: true, force: true });
  }

  #isOurs(): boolean {
    const named = statOf(this.partial);
    return named !== null && named.ino === this.#identity.ino && named.dev === this.#identity.dev;
  }
}

function statOf(path: string): BigIntStats | null {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false }) ?? null;
}

/** With symbolic links resolved, so that the directory a link stands for is filled and not the link replaced. */
function resolveDirectory(given: string): string {
  const absolute = resolve(given);
  const stats = statOf(absolute);
  if (stats === null) return join(realpathSync(dirname(absolute)), basename(absolute));
  const path = realpathSync(absolute);
  if (statOf(path)?.isDirectory()) return path;
  throw new HoldfastError('TARGET_UNWRITABLE', `${given} is there and is not a directory`, {
    hint: 'Name a directory, or a name that is not in use.',
  });
}
