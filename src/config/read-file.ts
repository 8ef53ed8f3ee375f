import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { UserError, messageOf, systemCode } from "../lib/errors.ts";

/** Far above any real env file or secret, far below what would hurt. */
export const MOST_FILE_BYTES = 1024 * 1024;

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "it does not exist",
  ENOTDIR: "a part of its path is not a folder",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EISDIR: "it is a folder",
  ELOOP: "its symbolic links lead in a circle",
  ENAMETOOLONG: "its name is too long",
  ENXIO: "it is not a regular file",
};

/**
 * Reads a small regular file, through symbolic links. Never waits for anything: a FIFO is opened without blocking and
 * refused.
 * @throws UserError that says why, without the path
 */
export function readSmallFile(path: string | Buffer): Buffer {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    throw new UserError(reasonOf(error), { cause: error });
  }
  try {
    if (!fstatSync(fd).isFile()) throw new UserError("it is not a regular file");
    return readAll(fd);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(reasonOf(error), { cause: error });
  } finally {
    closeSync(fd);
  }
}

/** To the end, whatever size the file claims: it may grow, and files under `/proc` claim 0. */
function readAll(fd: number): Buffer {
  const chunks: Buffer[] = [];
  let total = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(16 * 1024);
    const count = readSync(fd, chunk, 0, chunk.length, null);
    if (count === 0) return Buffer.concat(chunks, total);
    total += count;
    if (total > MOST_FILE_BYTES) throw new UserError("it is larger than 1 MiB");
    chunks.push(chunk.subarray(0, count));
  }
}

/** Why a file or folder could not be used, for a message that has named it. */
export function reasonOf(error: unknown): string {
  const code = systemCode(error);
  if (code === undefined) {
    // `ERR_INVALID_ARG_VALUE` of a path with a NUL would quote the path.
    return messageOf(error).includes("null bytes") ? "its name holds a NUL" : messageOf(error);
  }
  if (code === "ERR_INVALID_ARG_VALUE") return "its name holds a NUL";
  return REASONS[code] ?? code;
}

/** The text of a secret's file: UTF-8 without NUL, without one trailing line break. @throws UserError */
export function secretText(bytes: Uint8Array): string {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new UserError("it is not UTF-8 text", { cause: error });
  }
  if (text.includes("\0")) throw new UserError("it holds a NUL");
  return text.replace(/\r?\n$/, "");
}
