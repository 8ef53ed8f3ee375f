/** How much of a block is looked at, in slices spread evenly over it. */
const SLICES = 16;
const SLICE_BYTES = 4096;

/**
 * Whether a block is worth compressing, from the distribution of its bytes: in compressed or encrypted content all
 * values are about equally frequent. Slices are judged one by one, so that some text between images is noticed.
 * Integers only: the answer must be the same everywhere.
 */
export function looksCompressible(block: Uint8Array): boolean {
  if (block.length < SLICE_BYTES) return true;
  const counts = new Uint32Array(256);
  let compressible = 0;
  for (let slice = 0; slice < SLICES; slice += 1) {
    const at = Math.floor(((block.length - SLICE_BYTES) * slice) / (SLICES - 1));
    counts.fill(0);
    for (let offset = at; offset < at + SLICE_BYTES; offset += 1) {
      const value = block[offset] ?? 0;
      counts[value] = (counts[value] ?? 0) + 1;
    }
    let squares = 0;
    for (const count of counts) squares += count * count;
    if (squares > COMPRESSIBLE_SQUARES) compressible += 1;
    // One slice in sixteen that shrinks a little does not pay for deflating the other fifteen.
    if (compressible > 1) return true;
  }
  return false;
}

/**
 * The sum of the squared counts of 4,096 random bytes is 69,616 on average, with a standard deviation of about 725;
 * JPEG, video and zip data lie a little above, text and machine code at several times that.
 */
const COMPRESSIBLE_SQUARES = 78_000;
