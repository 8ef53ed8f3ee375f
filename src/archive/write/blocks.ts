import type { Compression } from "../../contracts/archive.ts";

/**
 * Where the archive is cut into independently compressed blocks. The rule looks only at the entry at hand and at the
 * size of the block so far, so an unchanged stretch of the tree falls into the same blocks in every archive.
 */
export interface CutRule {
  /** No block is cut below this size (the last one of an archive excepted). */
  readonly minBytes: number;
  /** How far apart hash-chosen cuts lie on average, once `minBytes` are there. */
  readonly spacingBytes: number;
  /** No block is larger. */
  readonly maxBytes: number;
  /** Large files are cut at multiples of this, counted from the file's own first byte. A multiple of 512. */
  readonly pieceBytes: number;
}

/** About 1 MiB on average: gzip looks back no further than 32 KiB. */
export const CUT_RULE: CutRule = {
  minBytes: 512 * 1024,
  spacingBytes: 512 * 1024,
  maxBytes: 4 * 1024 * 1024,
  pieceBytes: 1024 * 1024,
};

/** Zstandard looks back megabytes, so larger blocks are smaller in sum. */
const ZSTD_CUT_RULE: CutRule = {
  minBytes: 2 * 1024 * 1024,
  spacingBytes: 1024 * 1024,
  maxBytes: 5 * 1024 * 1024,
  pieceBytes: 4 * 1024 * 1024,
};

export function cutRuleOf(compression: Compression): CutRule {
  return compression === "zst" ? ZSTD_CUT_RULE : CUT_RULE;
}

/** What a block's buffer holds: the largest block, and one byte more that tells that a file has grown. */
export function blockCapacityBytes(rule: CutRule): number {
  return rule.maxBytes + 4096;
}

/**
 * Whether a new block begins in front of an entry. The chance is proportional to the entry's own size, so that cuts
 * are equally dense among small files and large ones; which entries they are depends only on `pathHash`.
 */
export function cutsBefore(
  rule: CutRule,
  blockBytes: number,
  pathHash: number,
  headerBytes: number,
  contentBytes: number,
): boolean {
  if (blockBytes === 0) return false;
  if (blockBytes + headerBytes + padded(Math.min(contentBytes, rule.pieceBytes)) > rule.maxBytes) return true;
  if (blockBytes < rule.minBytes) return false;
  return pathHash * rule.spacingBytes < (headerBytes + contentBytes) * 2 ** 32;
}

/** Rounded up to whole tar records of 512 bytes. */
export function padded(bytes: number): number {
  return Math.ceil(bytes / 512) * 512;
}

/** A well-mixed 32-bit hash (FNV-1a with MurmurHash3's finaliser) of a path given as one byte per character. */
export function hashPath(path: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < path.length; at += 1) hash = Math.imul(hash ^ path.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
