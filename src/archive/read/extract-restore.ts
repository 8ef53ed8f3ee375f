import { ftruncateSync, linkSync, lstatSync, mkdirSync, renameSync, symlinkSync, unlinkSync, writeSync } from "node:fs";
import type { EntryCounts } from "../../contracts/archive.ts";
import { messageOf, systemCode, UserError } from "../../lib/errors.ts";
import { printablePath } from "../../lib/printable.ts";
import type { ExtractNoticeKind, ExtractOptions, ExtractResult } from "./extract-contract.ts";
import { createFolders, LeadsThroughLink, type Folder } from "./extract-folders.ts";
import { applyLinkMetadata, applyMetadata, isRoot, type MetadataLoss } from "./extract-metadata.ts";
import { placeOf } from "./extract-paths.ts";
import { makeSpecialFile, temporaryName } from "./extract-special.ts";
import type { ArchiveEntry } from "./entry.ts";
import { MissingContent } from "./read-errors.ts";
import { isHole } from "./read-sparse.ts";
import type { RestoreCalls } from "./restore-calls.ts";

/** Puts entries into an open target, one after the other. */
export interface Restorer {
  /** Never throws for what concerns this entry alone; `onPiece` is called as content is written. */
  restore(entry: ArchiveEntry, body: AsyncIterable<Buffer>, onPiece: () => void): Promise<void>;
  /** Gives folders their modes, owners and times: last, because every entry in them changes these. */
  finishFolders(): void;
  progress(): { readonly entries: number; readonly bytesWritten: number };
  result(): ExtractResult;
  close(): void;
}

/** Why an entry was not restored, though the next one may be. */
class NotRestored extends Error {
  readonly kind: ExtractNoticeKind;
  constructor(kind: ExtractNoticeKind, detail: string) {
    super(detail);
    this.kind = kind;
  }
}

/** With these nothing else could be restored either. */
const FATAL_CODES = new Set(["ENOSPC", "EDQUOT", "EIO", "EROFS", "EMFILE", "ENFILE", "ENOMEM", "ENOTCONN", "ESTALE"]);

/** Folders that are in no entry of their own. */
const IMPLIED_FOLDER_MODE = 0o755;

const TOLD_ONCE: ReadonlySet<ExtractNoticeKind> = new Set(["owner", "special-bits", "absolute", "metadata"]);

export function createRestorer(
  target: string,
  calls: RestoreCalls,
  options: Pick<ExtractOptions, "overwrite" | "onNotice">,
): Restorer {
  /** By path; a folder is there before what it holds. Undefined: no entry has described it yet. */
  const foldersToFinish = new Map<string, ArchiveEntry | undefined>();
  const folders = createFolders(target, (names) => foldersToFinish.set(names.join("/"), undefined));
  const linkedFolders = createFolders(target, () => undefined);
  const counts: { -readonly [K in keyof EntryCounts]: number } = {
    files: 0,
    directories: 0,
    symlinks: 0,
    hardlinks: 0,
    others: 0,
  };
  const notices: Partial<Record<ExtractNoticeKind, number>> = {};
  let bytesWritten = 0;
  let entries = 0;
  let incomplete = 0;

  const notify = (kind: ExtractNoticeKind, entryPath: string, detail: string, isIncomplete: boolean): void => {
    notices[kind] = (notices[kind] ?? 0) + 1;
    if (isIncomplete) incomplete += 1;
    if (TOLD_ONCE.has(kind) && notices[kind] > 1) return;
    options.onNotice?.({ kind, path: entryPath, detail, incomplete: isIncomplete });
  };
  /** Content counts more than its mode and time, which some file systems refuse. */
  const describe = (entry: ArchiveEntry, apply: () => MetadataLoss): void => {
    let loss: MetadataLoss;
    try {
      loss = apply();
    } catch (cause) {
      notify("metadata", entry.path, noticeOf(cause).detail, false);
      return;
    }
    if (loss.owner)
      notify("owner", entry.path, `cannot be given to user ${entry.uid} and group ${entry.gid} here`, false);
    if (loss.specialBits)
      notify("special-bits", entry.path, "setuid and setgid left off, because the owner is another one", false);
  };

  /** True where something of that name is there and may be replaced. */
  const isInTheWay = (folder: Folder, name: string, entry: ArchiveEntry): boolean => {
    const present = lstatSync(folder.at(name), { throwIfNoEntry: false });
    if (present === undefined) return false;
    if (present.isDirectory()) throw new NotRestored("failed", "a folder of that name is in the way");
    if (options.overwrite !== true)
      notify("replaced", entry.path, "appears more than once, the last one counts", false);
    return true;
  };

  /** Nearly always the name is free, so it is only looked at where it is not. */
  const createFile = (folder: Folder, name: string, entry: ArchiveEntry): { fd: number; temporary?: string } => {
    try {
      return { fd: calls.createFile(folder, name) };
    } catch (cause) {
      if (systemCode(cause) !== "EEXIST" || !isInTheWay(folder, name, entry)) throw cause;
    }
    const temporary = temporaryName();
    return { fd: calls.createFile(folder, temporary), temporary };
  };

  const restoreFile = async (
    folder: Folder,
    name: string,
    entry: ArchiveEntry,
    body: AsyncIterable<Buffer>,
    onPiece: () => void,
  ) => {
    const { fd, temporary } = createFile(folder, name, entry);
    const bytesBefore = bytesWritten;
    let hasHoles = false;
    try {
      try {
        for await (const piece of body) {
          if (isHole(piece)) hasHoles = true;
          else if (hasHoles) writeAt(fd, piece, bytesWritten - bytesBefore);
          else calls.write(fd, piece);
          bytesWritten += piece.length;
          onPiece();
        }
        if (hasHoles) ftruncateSync(fd, bytesWritten - bytesBefore);
        describe(entry, () => applyMetadata(calls, fd, entry, "file"));
      } finally {
        calls.close(fd);
      }
      if (temporary !== undefined) renameSync(folder.at(temporary), folder.at(name));
    } catch (cause) {
      removeQuietly(folder.at(temporary ?? name));
      bytesWritten = bytesBefore;
      throw cause;
    }
    counts.files += 1;
  };

  const restoreFolder = (folder: Folder, names: readonly string[], entry: ArchiveEntry): void => {
    const made = folder.at(names.at(-1) ?? "");
    const present = lstatSync(made, { throwIfNoEntry: false });
    if (present !== undefined && !present.isDirectory()) {
      if (options.overwrite !== true)
        notify("replaced", entry.path, "appears more than once, the last one counts", false);
      unlinkSync(made);
    }
    if (present?.isDirectory() !== true) mkdirSync(made, 0o700);
    foldersToFinish.set(names.join("/"), entry);
    counts.directories += 1;
  };

  const restoreSymlink = (folder: Folder, name: string, entry: ArchiveEntry): void => {
    const temporary = isInTheWay(folder, name, entry) ? temporaryName() : undefined;
    const made = temporary ?? name;
    symlinkSync(entry.linkBytes ?? Buffer.alloc(0), folder.at(made));
    describe(entry, () => applyLinkMetadata(calls, folder, made, entry));
    if (temporary !== undefined) renameSync(folder.at(temporary), folder.at(name));
    counts.symlinks += 1;
  };

  /** What a hard link leads to, where it is there. */
  const sharedFile = (names: readonly string[]): Buffer | undefined => {
    try {
      const file = linkedFolders.enter(names.slice(0, -1), false).at(names.at(-1) ?? "");
      // A link or a FIFO can have two names, too; `link` does not follow it.
      return lstatSync(file, { throwIfNoEntry: false })?.isDirectory() === false ? file : undefined;
    } catch (cause) {
      if (systemCode(cause) === "ENOENT") return undefined;
      throw cause;
    }
  };

  const restoreHardlink = (folder: Folder, names: readonly string[], entry: ArchiveEntry): void => {
    const place = placeOf(entry.linkBytes ?? Buffer.alloc(0));
    if (place.kind !== "below") throw new NotRestored("refused", "its content would be outside the target");
    if (place.names.join("/") === names.join("/")) throw new NotRestored("failed", "it is a link to itself");
    const name = names.at(-1) ?? "";
    const source = sharedFile(place.names);
    if (source === undefined) {
      throw new NotRestored(
        "failed",
        `the file it shares its content with, ${entry.linkPath ?? ""}, is not in the target: restore that one, too`,
      );
    }
    const temporary = isInTheWay(folder, name, entry) ? temporaryName() : undefined;
    linkSync(source, folder.at(temporary ?? name));
    if (temporary !== undefined) {
      renameSync(folder.at(temporary), folder.at(name));
      // Renaming does nothing where both are the same file already.
      removeQuietly(folder.at(temporary));
    }
    counts.hardlinks += 1;
  };

  const restoreSpecial = (folder: Folder, name: string, entry: ArchiveEntry): void => {
    if (entry.type !== "fifo" && !isRoot()) throw new NotRestored("unsupported", "only root can make a device");
    isInTheWay(folder, name, entry);
    const problem = makeSpecialFile(folder, name, entry);
    if (problem !== undefined) throw new NotRestored("unsupported", `cannot be made here: ${problem}`);
    describe(entry, () => applyLinkMetadata(calls, folder, name, entry));
    counts.others += 1;
  };

  const restoreUnchecked = async (
    entry: ArchiveEntry,
    body: AsyncIterable<Buffer>,
    onPiece: () => void,
  ): Promise<void> => {
    if (entry.type === "unsupported")
      throw new NotRestored("unsupported", `is ${entry.typeName ?? "of an unknown kind"}`);
    const place = placeOf(entry.pathBytes);
    if (place.kind === "refused") throw new NotRestored("refused", place.reason);
    if (place.kind === "target") {
      // `./`: the target is there already, and its owner decides about it.
      if (entry.type === "directory") return;
      throw new NotRestored("refused", "it would replace the target itself");
    }
    const { names, wasAbsolute } = place;
    if (wasAbsolute) notify("absolute", entry.path, "the leading `/` is taken off", false);
    const folder = folders.enter(names.slice(0, -1), true);
    const name = names.at(-1) ?? "";
    if (entry.type === "file") await restoreFile(folder, name, entry, body, onPiece);
    else if (entry.type === "directory") restoreFolder(folder, names, entry);
    else if (entry.type === "symlink") restoreSymlink(folder, name, entry);
    else if (entry.type === "hardlink") restoreHardlink(folder, names, entry);
    else restoreSpecial(folder, name, entry);
  };

  return {
    async restore(entry, body, onPiece) {
      entries += 1;
      try {
        await restoreUnchecked(entry, body, onPiece);
      } catch (cause) {
        const { kind, detail } = noticeOf(cause);
        notify(kind, entry.path, detail, true);
      }
    },
    finishFolders() {
      const innermostFirst = [...foldersToFinish].toReversed();
      foldersToFinish.clear();
      for (const [joined, entry] of innermostFirst) {
        try {
          const { fd } = folders.enter(joined.split("/"), false);
          if (entry === undefined) calls.setMode(fd, IMPLIED_FOLDER_MODE);
          else describe(entry, () => applyMetadata(calls, fd, entry, "folder"));
        } catch (cause) {
          notify("metadata", printablePath(Buffer.from(joined, "latin1")), noticeOf(cause).detail, false);
        }
      }
    },
    progress: () => ({ entries, bytesWritten }),
    result: () => ({ counts: { ...counts }, bytesWritten, notices: { ...notices }, incomplete }),
    close() {
      folders.close();
      linkedFolders.close();
    },
  };
}

/** @throws the cause, where it concerns more than one entry */
function noticeOf(cause: unknown): { kind: ExtractNoticeKind; detail: string } {
  if (cause instanceof NotRestored) return { kind: cause.kind, detail: cause.message };
  if (cause instanceof MissingContent) return { kind: "damaged", detail: cause.message };
  if (cause instanceof LeadsThroughLink) {
    return { kind: "refused", detail: "its path leads through a link, or a file that is no folder" };
  }
  const code = cause instanceof UserError ? undefined : systemCode(cause);
  if (code === undefined || FATAL_CODES.has(code) || code.startsWith("ERR_")) throw cause;
  // Node's texts end in the call and a path of ours.
  return { kind: "failed", detail: messageOf(cause).replace(/, [a-z]+ '.*$/, "") };
}

function writeAt(fd: number, bytes: Buffer, position: number): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at, bytes.length - at, position + at);
}

function removeQuietly(made: Buffer): void {
  try {
    unlinkSync(made);
  } catch {
    // It is gone already, which is what was wanted; any other trouble shows in the failure that led here.
  }
}
