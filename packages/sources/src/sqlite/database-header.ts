import { HoldfastError } from '@holdfast/contracts';

/** The first 100 bytes of an SQLite database file: https://www.sqlite.org/fileformat2.html#the_database_header */
export interface DatabaseHeader {
  readonly pageSize: number;
  /** Read version 2: readers must look into the write-ahead log. */
  readonly wal: boolean;
  /** Counts transactions, but not those that went to a write-ahead log. */
  readonly changeCounter: number;
  /** Pages by the header, right only if `validFor` equals `changeCounter`. */
  readonly pageCount: number;
  readonly validFor: number;
}

export const HEADER_BYTES = 100;
const MAGIC = Buffer.from('SQLite format 3\0', 'latin1');

/** @param bytes the file's first 100 bytes. SOURCE_CORRUPT when they are not such a header. */
export function parseDatabaseHeader(bytes: Buffer, path: string): DatabaseHeader {
  if (bytes.length < HEADER_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new HoldfastError('SOURCE_CORRUPT', `${path} is not an SQLite database, or it is encrypted`, {
      hint: 'Check the path. Back up an encrypted database as a file, with its application stopped.',
    });
  }
  const stored = bytes.readUInt16BE(16);
  const pageSize = stored === 1 ? 65536 : stored;
  const version = bytes.readUInt8(19);
  const powerOfTwo = (pageSize & (pageSize - 1)) === 0;
  if (pageSize < 512 || !powerOfTwo || version < 1 || version > 2) {
    throw new HoldfastError('SOURCE_CORRUPT', `The header of SQLite database ${path} is damaged`, {
      hint: 'Try `sqlite3 FILE .recover` on a copy of it.',
      details: { pageSize, version },
    });
  }
  return {
    pageSize,
    wal: version === 2,
    changeCounter: bytes.readUInt32BE(24),
    pageCount: bytes.readUInt32BE(28),
    validFor: bytes.readUInt32BE(92),
  };
}
