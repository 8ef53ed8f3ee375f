import { readlinkSync } from "node:fs";
import { systemCode } from "../../lib/errors.ts";
import type { BlockWriter } from "./block-writer.ts";
import type { CutRule } from "./blocks.ts";
import type { EntryLog } from "./entry-log.ts";
import { headerOf } from "./entry-header.ts";
import type { Excludes } from "./exclude.ts";
import { kernelFileSystem } from "./file-systems.ts";
import type { FileCalls } from "./file-calls.ts";
import { below } from "./file-calls-node.ts";
import { FileStat, isSameFile } from "./file-stat.ts";
import { causeOf, isSystemError, kindOf } from "./failures.ts";
import type { HardLinks } from "./hard-links.ts";
import type { PreparedHeader, TarType } from "./headers.ts";
import { writeHeader } from "./headers.ts";
import { LISTED } from "./name-stack.ts";
import type { OwnPaths } from "./own-paths.ts";
import { storeFile } from "./store-file.ts";
import type { SourceTally, Tally } from "./tally.ts";

/** One name in an open folder. */
export interface Place {
  readonly parentFd: number;
  /** Device of the folder; undefined for a source itself. */
  readonly parentDevice: number | undefined;
  /** What the folder's listing said (`LISTED`). */
  readonly listedAs: number;
  readonly name: string;
  /** Full path as a byte string: what excludes, notices and the entry's name go by. */
  readonly path: string;
  /** Sources that it belongs to. */
  readonly sources: readonly SourceTally[];
}

/** A folder whose entry is written and whose content comes next; whoever gets it closes `fd`. */
export interface OpenedFolder {
  readonly name: string;
  readonly path: string;
  readonly fd: number;
  /** Valid until the next visit. */
  readonly stat: FileStat;
  readonly sources: readonly SourceTally[];
}

export interface VisitTools {
  readonly writer: BlockWriter;
  /** Gets each entry that is stored. */
  readonly entryLog: EntryLog;
  readonly rule: CutRule;
  readonly excludes: Excludes;
  readonly ownPaths: OwnPaths;
  readonly tally: Tally;
  /** Undefined: hard links are stored as copies. */
  readonly hardLinks: HardLinks | undefined;
  readonly calls: FileCalls;
  /** Throws when the archive is no longer wanted. */
  checkAbort(): void;
}

/** Stores what lies at a place; gives the folder back if it is one that is to be entered. */
export type Visit = (place: Place) => OpenedFolder | undefined;

/** How often a name that becomes something else between two calls is looked at again. */
const MOST_LOOKS = 5;
/** The name no longer means what the listing said. */
const CHANGED = Symbol("changed");
const CHANGED_CODES: ReadonlySet<string | undefined> = new Set(["ENOENT", "ENOTDIR", "ELOOP", "EINVAL", "ENXIO"]);

type Outcome = OpenedFolder | undefined | typeof CHANGED;

export function createVisit(tools: VisitTools): Visit {
  const { calls, writer, entryLog, excludes, ownPaths, tally } = tools;
  /** What a name meant when it was looked at, and what was then opened. */
  const looked = new FileStat();
  const opened = new FileStat();

  /** Most names are what the listing said: then no look is needed before they are opened. */
  const storeListed = (place: Place): Outcome => {
    const { path, listedAs } = place;
    if (listedAs === LISTED.file) {
      if (excludes.dropsEntry(path) || excludes.prunes(path, false)) return undefined;
      return storeRegular(place, undefined);
    }
    if (listedAs !== LISTED.folder) return CHANGED;
    return excludes.prunes(path, true) ? undefined : storeFolder(place, undefined);
  };

  const storeLookedAt = (place: Place, stat: FileStat): Outcome => {
    if (stat.isDirectory()) return storeFolder(place, stat);
    if (excludes.dropsEntry(place.path)) return undefined;
    if (stat.isFile()) return storeRegular(place, stat);
    if (stat.isSymbolicLink()) return storeSymlink(place, stat);
    if (stat.isSocket()) {
      tally.notice("socket", place.path, "a socket: left out");
      return undefined;
    }
    const type = stat.isFIFO() ? "fifo" : stat.isCharacterDevice() ? "character-device" : "block-device";
    if (storeHeader(place, stat, type, "")) tally.count("others", place.sources);
    return undefined;
  };

  /** Calls that hardly ever fail (`fstat`) still may, on a network; no bytes of the entry are written by then. */
  const storeOrNotice = (place: Place, seen: FileStat | undefined): Outcome => {
    try {
      return seen === undefined ? storeListed(place) : storeLookedAt(place, seen);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      tally.notice(kindOf(error), place.path, `${causeOf(error)}: left out`);
      return undefined;
    }
  };

  /** `seen` is undefined where the listing alone said that it is a folder. */
  const storeFolder = (place: Place, seen: FileStat | undefined): Outcome => {
    const dropped = excludes.dropsEntry(place.path);
    let fd: number;
    try {
      fd = calls.openFolder(place.parentFd, place.name);
    } catch (error) {
      if (seen === undefined || CHANGED_CODES.has(systemCode(error))) return CHANGED;
      if (!dropped && storeHeader(place, seen, "directory", "")) tally.count("directories", place.sources);
      tally.notice(kindOf(error), place.path, `${causeOf(error)}: its content was left out`);
      return undefined;
    }
    let handedOver = false;
    try {
      const stat = opened;
      calls.statOpen(fd, stat);
      if (isOwn(place, stat)) return undefined;
      if (seen !== undefined) noticeIfReplaced(place, seen, stat);
      if (!dropped) {
        if (!storeHeader(place, stat, "directory", "")) return undefined;
        tally.count("directories", place.sources);
      }
      const kernel = stat.device === place.parentDevice ? undefined : kernelFileSystem(fd);
      if (kernel !== undefined) {
        tally.notice("crossed", place.path, `a ${kernel} file system: its content was left out`);
        return undefined;
      }
      handedOver = true;
      return { name: place.name, path: place.path, fd, stat, sources: place.sources };
    } finally {
      if (!handedOver) calls.close(fd);
    }
  };

  /** `seen` is undefined where the listing alone said that it is a file. */
  const storeRegular = (place: Place, seen: FileStat | undefined): Outcome => {
    // Nothing to read: no reason to open it, and no right to do so is needed.
    if (seen?.sizeBytes === 0) {
      storeContent(place, seen, undefined);
      return undefined;
    }
    let fd: number;
    try {
      fd = calls.openFile(place.parentFd, place.name);
    } catch (error) {
      if (seen === undefined || CHANGED_CODES.has(systemCode(error))) return CHANGED;
      tally.notice(kindOf(error), place.path, `${causeOf(error)}: left out`);
      return undefined;
    }
    try {
      const stat = opened;
      calls.statOpen(fd, stat);
      if (!stat.isFile()) return CHANGED;
      if (isOwn(place, stat)) return undefined;
      if (seen !== undefined) noticeIfReplaced(place, seen, stat);
      storeContent(place, stat, fd);
      return undefined;
    } finally {
      calls.close(fd);
    }
  };

  const storeContent = (place: Place, stat: FileStat, fd: number | undefined): void => {
    const shared = stat.nlink > 1 ? tools.hardLinks : undefined;
    const first = shared?.stored(stat);
    if (first !== undefined) {
      if (storeHeader(place, stat, "hardlink", first)) tally.count("hardlinks", place.sources);
      return;
    }
    const header = headerFor(place, stat, "file", "", stat.sizeBytes);
    if (header === undefined) return;
    if (fd === undefined || stat.sizeBytes === 0) {
      writeOnlyHeader(header);
    } else {
      const stored = storeFile(calls, fd, header, writer, tools.rule, tools.checkAbort);
      tally.read(stored.bytesRead, place.sources);
      const size = `${stat.sizeBytes} bytes`;
      const zeros = "the rest was filled with zeros";
      if (stored.outcome === "unreadable") {
        tally.notice(kindOf(stored.error), place.path, `${causeOf(stored.error)}: left out`);
        return;
      }
      if (stored.outcome === "failed") {
        tally.notice(
          kindOf(stored.error),
          place.path,
          `${causeOf(stored.error)} after ${stored.bytesRead} of ${size}: ${zeros}`,
        );
      } else if (stored.outcome === "shrunk") {
        tally.notice("shrunk", place.path, `shrank from ${size} to ${stored.bytesRead} while being read: ${zeros}`);
      } else if (stored.outcome === "grew") {
        tally.notice("grew", place.path, `grew while being read: stored at its first-seen size of ${size}`);
      }
    }
    entryLog.add(header, stat, writer);
    shared?.remember(stat, header.entry.path);
    tally.count("files", place.sources);
  };

  const storeSymlink = (place: Place, stat: FileStat): Outcome => {
    let target: string;
    try {
      target = readlinkSync(below(place.parentFd, place.name), { encoding: "latin1" });
    } catch (error) {
      if (CHANGED_CODES.has(systemCode(error))) return CHANGED;
      tally.notice(kindOf(error), place.path, `${causeOf(error)}: left out`);
      return undefined;
    }
    if (storeHeader(place, stat, "symlink", target)) tally.count("symlinks", place.sources);
    return undefined;
  };

  const storeHeader = (place: Place, stat: FileStat, type: TarType, linkPath: string): boolean => {
    const header = headerFor(place, stat, type, linkPath, 0);
    if (header === undefined) return false;
    writeOnlyHeader(header);
    entryLog.add(header, stat, writer);
    return true;
  };

  const writeOnlyHeader = (header: PreparedHeader): void => {
    writer.beginEntry(header.entry.path, header.bytes, 0);
    writeHeader(writer.buffer, writer.used, header);
    writer.used += header.bytes;
  };

  const headerFor = (
    place: Place,
    stat: FileStat,
    type: TarType,
    linkPath: string,
    sizeBytes: number,
  ): PreparedHeader | undefined => {
    const header = headerOf(place.path, stat, type, linkPath, sizeBytes);
    if (header === undefined) {
      tally.notice("unreadable", place.path.slice(0, 200), "its path is longer than readers of tar accept: left out");
    }
    return header;
  };

  const isOwn = (place: Place, stat: FileStat): boolean => {
    if (!ownPaths.has(place.path, stat)) return false;
    tally.notice("own", place.path, "written by the backup itself: left out");
    return true;
  };

  const noticeIfReplaced = (place: Place, seen: FileStat, stat: FileStat): void => {
    if (isSameFile(seen, stat)) return;
    tally.notice("replaced", place.path, "replaced while being read: the new one was stored");
  };

  const look = (place: Place): FileStat | undefined => {
    try {
      calls.statName(place.parentFd, place.name, looked);
      return looked;
    } catch (error) {
      if (excludes.dropsEntry(place.path) || excludes.prunes(place.path, true)) return undefined;
      if (systemCode(error) === "ENOENT")
        tally.notice("vanished", place.path, "gone before it could be read: left out");
      else tally.notice(kindOf(error), place.path, `${causeOf(error)}: left out`);
      return undefined;
    }
  };

  return (place) => {
    tools.checkAbort();
    let outcome = storeOrNotice(place, undefined);
    for (let looks = 1; outcome === CHANGED && looks <= MOST_LOOKS; looks += 1) {
      const stat = look(place);
      if (stat === undefined || excludes.prunes(place.path, stat.isDirectory()) || isOwn(place, stat)) return undefined;
      outcome = storeOrNotice(place, stat);
    }
    if (outcome !== CHANGED) return outcome;
    tally.notice("vanished", place.path, "kept changing into something else: left out");
    return undefined;
  };
}
