import { printablePath } from "../../lib/printable.ts";
import type { ArchiveEntry } from "../read/entry.ts";
import type { EntryWithBody } from "../read/read.ts";
import { createEntryAssembler } from "../read/read-entries.ts";
import { MissingContent } from "../read/read-errors.ts";
import { BLOCK_BYTES, HeaderFault } from "../read/read-headers.ts";
import { DamagedBlock, type RawReader } from "./blocks.ts";
import type { IndexEntry } from "./chunk-view.ts";
import { IndexFault } from "./format.ts";
import { comparePaths, isAtOrBelow, plainPath } from "../path-order.ts";
import type { ArchiveIndex } from "./reader.ts";

/** An entry as the index alone knows it, for listings. */
export function asArchiveEntry({ path, type, link, mtimeNs, ...entry }: IndexEntry): ArchiveEntry {
  const isFolder = type === "directory";
  const pathBytes = path.length === 0 ? Buffer.from("./") : isFolder ? Buffer.concat([path, Buffer.from("/")]) : path;
  return {
    path: path.length === 0 ? "." : printablePath(path),
    pathBytes,
    type,
    sizeBytes: entry.sizeBytes,
    mtimeMs: Number(mtimeNs / 1_000_000n),
    mtimeNs,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    ...(type === "symlink" || type === "hardlink" ? { linkPath: printablePath(link), linkBytes: link } : {}),
  };
}

/**
 * The entries at or below `wanted` paths and their content, read from the middle of the archive. A hard link whose file is
 * not among them comes as a file of its own. What lies in a damaged block fails alone, with `MissingContent`, when its
 * body is read; `onDamage` is called for each.
 * @throws IndexFault where the index is damaged or not that of this archive
 */
export async function* readEntries(
  index: ArchiveIndex,
  raw: RawReader,
  wanted: readonly Buffer[],
  onDamage: (fault: DamagedBlock) => void,
): AsyncGenerator<EntryWithBody, void, void> {
  const roots = wanted
    .toSorted(comparePaths)
    .filter((path, at, all) => !all.slice(0, at).some((outer) => isAtOrBelow(path, outer)));
  for (const root of roots) {
    for await (const listed of index.atOrBelow(root)) {
      const linked = listed.type === "hardlink" ? plainPath(listed.link) : undefined;
      const comesBefore =
        linked === undefined ||
        (roots.some((path) => isAtOrBelow(linked, path)) && comparePaths(linked, listed.path) < 0);
      const source = comesBefore || linked === undefined ? listed : await index.find(linked);
      // A link to a file that is in no entry is passed on as it is: whoever restores it says what is missing.
      if (source === undefined || source === listed || source.type !== "file") yield await read(listed, raw, onDamage);
      else yield renamed(await read(source, raw, onDamage), listed);
    }
  }
}

function renamed({ entry, body }: EntryWithBody, { path }: IndexEntry): EntryWithBody {
  return { entry: { ...entry, path: printablePath(path), pathBytes: path }, body };
}

/** One entry from its own headers in the archive; where these are lost, from what the index says. */
async function read(
  listed: IndexEntry,
  raw: RawReader,
  onDamage: (fault: DamagedBlock) => void,
): Promise<EntryWithBody> {
  try {
    const entry = await readHeader(listed, raw);
    return { entry, body: content(listed, raw, onDamage) };
  } catch (thrown) {
    if (!(thrown instanceof DamagedBlock)) throw thrown;
    onDamage(thrown);
    const entry = asArchiveEntry(listed);
    const isDevice = entry.type === "character-device" || entry.type === "block-device";
    const lost = { type: "unsupported", typeName: "a device whose numbers are in a damaged block" } as const;
    return { entry: isDevice ? { ...entry, ...lost } : entry, body: missing(thrown) };
  }
}

async function readHeader(listed: IndexEntry, raw: RawReader): Promise<ArchiveEntry> {
  const { block, offset, headerBytes } = listed;
  const headers =
    raw.readAtOnce(block, offset, headerBytes) ??
    Buffer.concat(await Array.fromAsync(raw.read(block, offset, headerBytes)));
  const assembler = createEntryAssembler();
  let found: ArchiveEntry | undefined;
  try {
    for (let at = 0; at < headers.length && found === undefined;) {
      const step = assembler.takeHeader(headers.subarray(at, at + BLOCK_BYTES));
      at += BLOCK_BYTES;
      if (step.kind === "entry") {
        found = at === headers.length ? step.entry : undefined;
        break;
      }
      assembler.takeExtension(headers.subarray(at, at + step.sizeBytes));
      at += Math.ceil(step.sizeBytes / BLOCK_BYTES) * BLOCK_BYTES;
    }
  } catch (cause) {
    if (!(cause instanceof HeaderFault)) throw cause;
  }
  const fits =
    found !== undefined &&
    found.type === listed.type &&
    found.sizeBytes === listed.sizeBytes &&
    plainPath(found.pathBytes).equals(listed.path);
  if (found === undefined || !fits) throw new IndexFault("does not fit its archive");
  return found;
}

async function* content(
  { block, offset, headerBytes, sizeBytes }: IndexEntry,
  raw: RawReader,
  onDamage: (fault: DamagedBlock) => void,
): AsyncGenerator<Buffer, void, undefined> {
  const atOnce = raw.readAtOnce(block, offset + headerBytes, sizeBytes);
  if (atOnce !== undefined) {
    if (sizeBytes > 0) yield atOnce;
    return;
  }
  try {
    // The headers' block is open already.
    let skip = headerBytes;
    for await (const piece of raw.read(block, offset, headerBytes + sizeBytes)) {
      if (piece.length > skip) yield skip > 0 ? piece.subarray(skip) : piece;
      skip = Math.max(0, skip - piece.length);
    }
  } catch (thrown) {
    if (!(thrown instanceof DamagedBlock)) throw thrown;
    onDamage(thrown);
    throw new MissingContent(thrown.message, { cause: thrown });
  }
}

// oxlint-disable-next-line require-yield -- it has nothing to give
async function* missing(fault: DamagedBlock): AsyncGenerator<Buffer, void, undefined> {
  throw new MissingContent(fault.message, { cause: fault });
}
