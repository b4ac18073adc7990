const MiB = 2 ** 20;

/** Rows of each table. */
export interface ChatSize {
  readonly users: number;
  readonly channels: number;
  readonly memberships: number;
  readonly messages: number;
  readonly attachments: number;
  readonly reactions: number;
}

/** 20 KiB to 2 MiB, as many of each order of magnitude: 438 KiB in the mean. */
export const ATTACHMENT = { leastBytes: 20 * 1024, mostBytes: 2 * MiB };

/** What the numbers of rows below come to on the server's disk, with indexes; found by trying. */
const BYTES_AT_ONE = 960 * MiB;

export function chatSize(bytes: number): ChatSize {
  const scaled = (rows: number): number => Math.ceil((rows * bytes) / BYTES_AT_ONE);
  return {
    users: scaled(16_000),
    channels: scaled(1_600),
    memberships: scaled(240_000),
    messages: scaled(2_000_000),
    attachments: scaled(900),
    reactions: scaled(1_200_000),
  };
}
