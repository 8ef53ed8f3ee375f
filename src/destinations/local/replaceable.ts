import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { ARCHIVE_ENDING } from "../names.ts";

/** Where ustar's magic stands in a header, and enough to see it and every other one. */
const USTAR_AT = 257;
const HEAD_BYTES = 512;

/**
 * Whether the file at `target` may give way to an archive of the same name: it is named like one, is empty, or begins as
 * one. A `BACKUP_FILENAME` that hits the user's own file must not cost that file.
 */
export async function isReplaceable(target: string, name: string): Promise<boolean> {
  if (ARCHIVE_ENDING.test(name) || /\.(?:gpg|age|tgz)$/.test(name)) return true;
  const handle = await open(target, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return bytesRead === 0 || beginsAsArchive(buffer.subarray(0, bytesRead));
  } finally {
    await handle.close();
  }
}

/** gzip (RFC 1952), zstd (RFC 8878), ustar (POSIX), age's header line. */
function beginsAsArchive(head: Buffer): boolean {
  const text = head.toString("latin1");
  return (
    text.startsWith("\u001f\u008b") ||
    text.startsWith("\u0028\u00b5\u002f\u00fd") ||
    text.startsWith("ustar", USTAR_AT) ||
    text.startsWith("age-encryption.org/")
  );
}
