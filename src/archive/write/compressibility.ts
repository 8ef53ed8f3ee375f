/** A stretch of a block, up to `end`, and whether it is stored as it is. */
export interface Run {
  end: number;
  isStored: boolean;
}

const RECORD_BYTES = 512;
/** Content is judged in pieces of this size, so that a picture in a database is noticed as well as a picture in a folder. */
const PIECE_BYTES = 64 * 1024;
/** Shorter content is not worth a member of its own. */
const MIN_STORED_BYTES = 16 * 1024;
/** What is looked at of a piece: slices spread evenly over it. */
const SLICES = 4;
const SLICE_BYTES = 512;
/**
 * The sum of the squared counts of 2,048 random bytes is 18,424 on average, with a standard deviation of about 180. JPEG,
 * video and zip data lie a little above, text and machine code at several times that.
 */
const COMPRESSIBLE_SQUARES = 20_700;

/**
 * Parts a block of tar records into stretches that are worth compressing and stretches that are not (images, video,
 * archives). Headers, found by their magic, always belong to the former. The answer depends on the block's bytes only, in integers:
 * it must be the same everywhere.
 */
export function partBlock(block: Uint8Array): Run[] {
  const runs: Run[] = [];
  const add = (end: number, isStored: boolean): void => {
    const last = runs.at(-1);
    if (last !== undefined && last.isStored === isStored) last.end = end;
    else runs.push({ end, isStored });
  };
  const addContent = (from: number, to: number): void => {
    for (let at = from; at < to;) {
      // The last piece takes what would be too short for one of its own.
      const end = to - at < PIECE_BYTES + MIN_STORED_BYTES ? to : at + PIECE_BYTES;
      add(end, end - at >= MIN_STORED_BYTES && !looksCompressible(block, at, end));
      at = end;
    }
  };
  let contentFrom = 0;
  for (let at = 0; at < block.length; at += RECORD_BYTES) {
    if (!isHeader(block, at)) continue;
    if (at > contentFrom) addContent(contentFrom, at);
    contentFrom = Math.min(at + RECORD_BYTES, block.length);
    add(contentFrom, false);
  }
  if (contentFrom < block.length) addContent(contentFrom, block.length);
  return runs;
}

/** `ustar` where a header has it. */
function isHeader(block: Uint8Array, at: number): boolean {
  return (
    block[at + 257] === 0x75 &&
    block[at + 258] === 0x73 &&
    block[at + 259] === 0x74 &&
    block[at + 260] === 0x61 &&
    block[at + 261] === 0x72
  );
}

const counts = new Uint32Array(256);

/** From the distribution of bytes: in compressed or encrypted content all values are about equally frequent. */
function looksCompressible(block: Uint8Array, from: number, to: number): boolean {
  counts.fill(0);
  // The last record is padded with zeros.
  const lastSlice = to - RECORD_BYTES - SLICE_BYTES;
  for (let slice = 0; slice < SLICES; slice += 1) {
    const at = from + Math.floor(((lastSlice - from) * slice) / (SLICES - 1));
    for (let offset = at; offset < at + SLICE_BYTES; offset += 1) {
      const value = block[offset] ?? 0;
      counts[value] = (counts[value] ?? 0) + 1;
    }
  }
  let squares = 0;
  for (const count of counts) squares += count * count;
  return squares > COMPRESSIBLE_SQUARES;
}
