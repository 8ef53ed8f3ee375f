import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { Readable } from "node:stream";
import type { Area, ByteRange } from "../../contracts/destination.ts";
import { DestinationError, systemCode } from "../../lib/errors.ts";
import { printablePath } from "../../lib/printable.ts";
import { toLocalError } from "./errors.ts";
import { componentsOf } from "../names.ts";
import { openParent } from "./object-folder.ts";

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
const CHUNK_BYTES = 256 * 1024;

/** A range may reach beyond the end: what is there comes, possibly nothing. */
export async function openForReading(
  folder: string,
  area: Area,
  name: string,
  range: ByteRange | undefined,
  signal: AbortSignal,
): Promise<Readable> {
  const attempt = `cannot read ${printablePath(name)} in ${folder}`;
  signal.throwIfAborted();
  const components = componentsOf(area, name);
  if (range !== undefined && !(isByteCount(range.offset) && isByteCount(range.length))) {
    throw new DestinationError("invalid", `${attempt}: the range ${range.offset}+${range.length} makes no sense`);
  }
  try {
    const handle = await openFile(folder, area, components);
    const stat = await handle.stat();
    if (!stat.isFile()) {
      await handle.close();
      throw new DestinationError("invalid", `${attempt}: it is not a regular file`);
    }
    if (range?.length === 0 || (range !== undefined && range.offset >= stat.size)) {
      await handle.close();
      return Readable.from([]);
    }
    const span = range === undefined ? {} : { start: range.offset, end: range.offset + range.length - 1 };
    // Nothing is awaited from here on: an abort in between would be an error event that nobody listens to yet.
    return handle.createReadStream({ ...span, signal, highWaterMark: CHUNK_BYTES });
  } catch (error) {
    if (systemCode(error) === "ENOENT")
      throw new DestinationError("not-found", `${printablePath(name)} is not in ${folder}`, { cause: error });
    if (systemCode(error) === "ELOOP")
      throw new DestinationError("invalid", `${attempt}: it is a symbolic link`, { cause: error });
    throw toLocalError(error, attempt);
  }
}

async function openFile(folder: string, area: Area, components: readonly string[]): Promise<FileHandle> {
  const parent = await openParent(folder, area, components, false);
  try {
    // Not blocking: a FIFO put there by someone must not hang the reader.
    return await open(parent.at(components.at(-1) ?? ""), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } finally {
    await parent.close();
  }
}

function isByteCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
