import { createHash, hash } from "node:crypto";

/** https://www.dropbox.com/developers/reference/content-hash */
export const HASH_BLOCK_BYTES = 4 * 1024 * 1024;

/** Dropbox's content hash: SHA-256 over the SHA-256s of 4 MiB blocks. */
export interface ContentHash {
  /** The next bytes; only the last piece may be no multiple of 4 MiB. */
  update(bytes: Uint8Array): void;
  /** Lower-case hex. */
  digest(): string;
}

export function createContentHash(): ContentHash {
  const whole = createHash("sha256");
  let isOver = false;
  return {
    update(bytes) {
      if (isOver) throw new Error("only the last piece of a content hash may end inside a block");
      isOver = bytes.byteLength % HASH_BLOCK_BYTES !== 0;
      for (let at = 0; at < bytes.byteLength; at += HASH_BLOCK_BYTES)
        whole.update(hash("sha256", bytes.subarray(at, at + HASH_BLOCK_BYTES), "buffer"));
    },
    digest: () => whole.digest("hex"),
  };
}
