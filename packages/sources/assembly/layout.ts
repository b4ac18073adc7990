// Where things lie in the kernel's memory; src/rows/row-kernel.ts knows the same numbers. Nothing is allocated.

/** Levels of the hash tree: 32^9 blocks are more than any row has. */
export const LEVELS: usize = 9;
export const BLOCK: usize = 1024;
/** A block's key, and three more groups of 32 bytes for the later passes. */
export const LEVEL_KEY: usize = BLOCK + 96;

/** Key material: one key a level, then four times eleven 64-bit words to fold with. Put there by the importer. */
export const KEYS: usize = 0;
export const FOLD_KEYS: usize = LEVELS * LEVEL_KEY;
/** 32 bytes of ones, then 32 of zeros: the importer's too. A load from before the border masks what follows a row's end. */
export const MASKS: usize = 10_496;
/** What NH gave last. */
export const DIGEST: usize = 10_560;
/** A block being filled, for each level above the first. */
export const BLOCKS: usize = 10_624;

/** Up to four samples: offset and row as f64, bytes of key as u32 (16 … 20), then the key. */
export const SAMPLES: usize = 32_768;
export const SAMPLE_SLOT: usize = 65_600;
export const SAMPLE_KEY_MAX: usize = 65_536;

export const MAX_ROWS: u32 = 16_384;
export const LENGTHS: usize = 327_680;
export const ROW_HASHES: usize = 393_216;
export const KEY_HASHES: usize = 655_360;

/** What came in last. */
export const WINDOW: usize = 917_504;
/** Tuples, from here to the capacity that the importer says; 64 bytes behind that may be read and overwritten. */
export const TUPLES: usize = 983_040;

/** As MAX_ROW_BYTES of the contracts. */
export const MAX_ROW_BYTES: usize = 262_144;
