const ZEROS = Buffer.alloc(64 * 1024);

/** Writes zeros. `fill` would store each byte on its own, as others may look at shared memory meanwhile; this copies. */
export function writeZeros(target: Buffer, from: number, to: number): void {
  for (let at = from; at < to; at += ZEROS.length) ZEROS.copy(target, at, 0, Math.min(ZEROS.length, to - at));
}
