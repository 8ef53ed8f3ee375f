import { lstatSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { formatBytes } from "../../lib/bytes.ts";
import { messageOf, systemCode, UserError } from "../../lib/errors.ts";
import { makeFolders } from "../../lib/make-folders.ts";
import type { ExtractOptions, ExtractResult } from "./extract-contract.ts";
import { createRestorer, type Restorer } from "./extract-restore.ts";
import { loadRestoreCalls } from "./restore-calls-libc.ts";
import { readArchive, type EntryWithBody } from "./read.ts";

export type {
  ExtractNotice,
  ExtractNoticeKind,
  ExtractOptions,
  ExtractProgress,
  ExtractResult,
} from "./extract-contract.ts";

/** The archive came to a bad end: `cause` says how. What was restored before stays. */
export class UnfinishedRestore extends UserError {
  readonly result: ExtractResult | undefined;

  constructor(message: string, options: { hint?: string; cause: unknown }, result: ExtractResult | undefined) {
    super(message, options);
    this.result = result;
  }
}

/**
 * Restores an archive below `targetDir`, which is made if it is missing, and never outside of it, whatever the archive holds
 * and whoever changes the target meanwhile. As root with owners; modes, and times (to the microsecond where libc can't be
 * called). One entry that can't be restored is a notice and the rest goes on.
 * @throws UserError for a target that is not a folder or not empty, a full or failing disk, and all that `readArchive` throws;
 * it says how much was restored, and a file that was cut off by it is removed. The signal's reason when it aborts.
 */
export async function extractArchive(
  bytes: AsyncIterable<Uint8Array>,
  targetDir: string,
  options: ExtractOptions,
): Promise<ExtractResult> {
  const { archiveName, signal, carefulFromByte } = options;
  let bytesRead = 0;
  const onBytesRead = (count: number): void => {
    bytesRead = count;
  };
  const entries = readArchive(bytes, { archiveName, signal, carefulFromByte, onBytesRead });
  return extractEntries(entries, targetDir, options, () => bytesRead);
}

/**
 * The same for entries from elsewhere. One whose body throws `MissingContent` is left out, with a notice.
 * @param bytesRead of the archive so far, for the progress
 */
export async function extractEntries(
  entries: AsyncIterable<EntryWithBody>,
  targetDir: string,
  options: Omit<ExtractOptions, "archiveName">,
  bytesRead: () => number,
): Promise<ExtractResult> {
  const { signal } = options;
  const target = path.resolve(targetDir);
  checkTarget(target, options.overwrite ?? false);

  const calls = await loadRestoreCalls();
  let restorer: Restorer | undefined;
  const open = (): Restorer => {
    makeTarget(target);
    return createRestorer(target, calls, options);
  };
  try {
    for await (const { entry, body } of entries) {
      signal.throwIfAborted();
      if (options.filter?.(entry) === false) continue;
      const opened = (restorer ??= open());
      const report = (): void =>
        options.onProgress?.({ ...opened.progress(), bytesRead: bytesRead(), current: entry.path });
      report();
      await opened.restore(entry, body, report);
    }
    restorer ??= open();
    restorer.finishFolders();
    return restorer.result();
  } catch (cause) {
    signal.throwIfAborted();
    finishAsFarAsPossible(restorer);
    throw withState(cause, target, restorer?.result());
  } finally {
    restorer?.close();
  }
}

function checkTarget(target: string, overwrite: boolean): void {
  let names: string[];
  try {
    if (!statSync(target).isDirectory())
      throw new UserError(`${target} is not a folder`, { hint: "name a new or empty folder" });
    names = readdirSync(target);
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    if (systemCode(cause) === "ENOENT" && !isDanglingLink(target)) return;
    throw new UserError(`cannot restore into ${target}: ${messageOf(cause)}`, { cause });
  }
  // A file system of its own often has this one from the start.
  const isEmpty = names.every((name) => name === "lost+found");
  if (!isEmpty && !overwrite) {
    throw new UserError(`${target} is not empty`, {
      hint: "name a new or empty folder, or allow files to be overwritten (--overwrite)",
    });
  }
}

function isDanglingLink(target: string): boolean {
  return lstatSync(target, { throwIfNoEntry: false }) !== undefined;
}

function makeTarget(target: string): void {
  try {
    makeFolders(target);
  } catch (cause) {
    throw new UserError(`cannot make the folder ${target}: ${messageOf(cause)}`, { cause });
  }
}

/** What was restored before a failure gets its folders' modes and times too. */
function finishAsFarAsPossible(restorer: Restorer | undefined): void {
  try {
    restorer?.finishFolders();
  } catch {
    // The disk fails for this as well; the first failure is the one to tell.
  }
}

function withState(cause: unknown, target: string, result: ExtractResult | undefined): unknown {
  const code = systemCode(cause);
  if (!(cause instanceof UserError) && (code === undefined || code.startsWith("ERR_"))) return cause;
  const { files = 0, directories = 0, symlinks = 0, hardlinks = 0, others = 0 } = result?.counts ?? {};
  const entries = files + directories + symlinks + hardlinks + others;
  const state =
    entries === 0
      ? "nothing was restored"
      : `${entries} entries (${formatBytes(result?.bytesWritten ?? 0)}) were restored to ${target} before`;
  if (cause instanceof UserError) {
    const hint = cause.hint === undefined ? {} : { hint: cause.hint };
    return new UnfinishedRestore(`${cause.message}; ${state}`, { ...hint, cause }, result);
  }
  const isFull = code === "ENOSPC" || code === "EDQUOT";
  return new UserError(`cannot restore into ${target}: ${isFull ? "no space left" : messageOf(cause)}; ${state}`, {
    hint: isFull
      ? "free some space, or restore into a folder on another disk"
      : "check the disk and the folder's permissions",
    cause,
  });
}
