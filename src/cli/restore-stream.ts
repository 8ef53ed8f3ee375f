import { lstatSync } from "node:fs";
import { IndexFault } from "../archive/index/format.ts";
import {
  extractArchive,
  extractEntries,
  UnfinishedRestore,
  type ExtractNotice,
  type ExtractResult,
} from "../archive/read/extract.ts";
import { readArchive, type ArchiveEntry, type EntryWithBody } from "../archive/read/read.ts";
import { DamagedArchive, SurplusBehindEnd, SurplusInArchive, TruncatedArchive } from "../archive/read/read-errors.ts";
import { salvageArchive } from "../archive/read/salvage.ts";
import { BACKUP_SOURCES } from "../archive/settings.ts";
import { messageOf, UserError } from "../lib/errors.ts";
import { printablePath } from "../lib/printable.ts";
import { openRecordedIndex } from "./archive-index.ts";
import { isWanted, wantedPath, type WantedPath } from "./archive-paths.ts";
import type { FoundArchive } from "./archives.ts";
import { createCheck } from "./check-digest.ts";
import type { CommandContext } from "./command.ts";
import { createUnprovenEntries, type UnprovenEntries } from "./unproven-entries.ts";

export interface RestoreTask {
  readonly found: FoundArchive;
  /** Empty: the whole archive. */
  readonly paths: readonly WantedPath[];
  readonly to: string;
  readonly overwrite: boolean;
  readonly context: CommandContext;
}

export interface Restored {
  readonly result: ExtractResult;
  readonly missing: readonly WantedPath[];
  /** Entries that were restored from a block whose checksum is wrong. */
  readonly doubtful: number;
  /** Something of the archive could not be read, and what it was is not known. */
  readonly isDamaged: boolean;
}

/** Reads the archive from front to back, and again where it is damaged. */
export async function restoreFromStream(task: RestoreTask): Promise<Restored> {
  const { found, paths, to, context } = task;
  const { destination, object } = found;
  const check = createCheck(found);
  const met = new Set<WantedPath>();
  let last: ArchiveEntry | undefined;
  let isLastDone = true;
  const unproven = createUnprovenEntries();
  const filter = (entry: ArchiveEntry): boolean => {
    const wanting = paths.filter((path) => isWanted(entry.pathBytes, path));
    for (const path of wanting) met.add(path);
    return paths.length === 0 || wanting.length > 0;
  };
  let restored: Pick<Restored, "result" | "doubtful" | "isDamaged">;
  try {
    const stream = await destination.get("archive", object.name, undefined, context.signal);
    const options = { archiveName: object.name, signal: context.signal };
    async function* entries(): AsyncGenerator<EntryWithBody, void, void> {
      for await (const one of readArchive(check.through(stream), options)) {
        last = one.entry;
        isLastDone = false;
        yield one;
        // Asked for the next one, which may be where the damage shows first.
        unproven.read(one.entry, filter(one.entry));
        isLastDone = true;
      }
    }
    const result = await extractEntries(entries(), to, { ...extractOptions(task), filter }, () => 0);
    restored = { result, doubtful: 0, isDamaged: false };
    check.verify();
  } catch (thrown) {
    if (!(thrown instanceof UnfinishedRestore)) throw thrown;
    const rest = await restoreRest(task, thrown, { last, isLastDone, unproven, filter });
    const lost = isSpoilt(thrown) ? await nameLost(task) : 0;
    if (rest === undefined) throw thrown;
    restored = lost === 0 ? rest : { ...rest, result: { ...rest.result, incomplete: lost } };
  }
  if (paths.length > 0 && met.size === 0) throw nothingFound(task);
  return { ...restored, missing: paths.filter((path) => !met.has(path)) };
}

interface ReadSoFar {
  /** The last entry whose headers could be read. */
  readonly last: ArchiveEntry | undefined;
  /** Its content could be read, too. */
  readonly isLastDone: boolean;
  readonly unproven: UnprovenEntries;
  filter(entry: ArchiveEntry): boolean;
}

/** What else can be done where the archive came to a bad end; undefined: nothing. */
async function restoreRest(
  task: RestoreTask,
  ended: UnfinishedRestore,
  soFar: ReadSoFar,
): Promise<Pick<Restored, "result" | "doubtful" | "isDamaged"> | undefined> {
  const { output } = task.context;
  if (!(ended.cause instanceof DamagedArchive)) return undefined;
  // One of ours is in blocks: what is left of them comes below, in one go.
  const isOurs = task.found.record !== undefined;
  const again =
    ended.cause instanceof SurplusInArchive && !isOurs ? await restoreCarefully(task, ended.cause, soFar) : ended;
  const { cause, result: before } = again;
  if (cause instanceof SurplusBehindEnd && before !== undefined) {
    output.remark(`${cause.message}; that was not read`);
    return { result: before, doubtful: 0, isDamaged: true };
  }
  output.remark(`${messageOf(ended)}; now for what lies behind the damage`);
  const left = await restoreWhatIsLeft(task, soFar);
  const isOther = isNothing(left);
  if (isOther && (before === undefined || isNothing(before))) return undefined;
  const unsure = soFar.unproven.paths();
  for (const path of unsure)
    output.remark(`${path}: lies in a damaged part of the archive; what was restored of it may be wrong`);
  const doubtful = unsure.length;
  if (!isOther || before === undefined) return { result: left, doubtful, isDamaged: true };
  // Not one of ours: it is compressed in one piece, with one checksum at its end.
  output.remark("nothing behind the damage can be read, and anything else restored from before it may be wrong, too");
  return { result: { ...before, incomplete: before.incomplete + left.incomplete }, doubtful, isDamaged: true };
}

/** Once more, for what a decoder had made of the archive's last piece when it came upon what is none of it. */
async function restoreCarefully(
  task: RestoreTask,
  { nearByte }: SurplusInArchive,
  { filter }: ReadSoFar,
): Promise<UnfinishedRestore> {
  const { found, to, context } = task;
  const { destination, object } = found;
  const stream = await destination.get("archive", object.name, undefined, context.signal);
  const options = {
    ...extractOptions(task),
    archiveName: object.name,
    overwrite: true,
    carefulFromByte: nearByte,
    filter,
  };
  try {
    await extractArchive(stream, to, options);
  } catch (thrown) {
    if (thrown instanceof UnfinishedRestore) return thrown;
    throw thrown;
  }
  throw new UserError(`${object.name} changed while it was read`);
}

function isSpoilt({ cause }: UnfinishedRestore): boolean {
  return cause instanceof DamagedArchive || cause instanceof TruncatedArchive;
}

/** Names what should be in the target and is not, where the archive's index, though of no use for reading it, says so. */
async function nameLost({ found, paths, to, context }: RestoreTask): Promise<number> {
  const index = await openRecordedIndex(found, context);
  if (index === undefined) return 0;
  let lost = 0;
  try {
    for (const { candidates } of paths.length === 0 ? [wantedPath(".")] : paths) {
      const root = await index.firstOf(candidates);
      if (root === undefined) continue;
      for await (const { path } of index.atOrBelow(root)) {
        if (isThere(to, path)) continue;
        lost += 1;
        context.output.remark(`${printablePath(path)}: is lost`);
      }
    }
  } catch (thrown) {
    if (!(thrown instanceof IndexFault)) throw thrown;
  }
  return lost;
}

function isThere(to: string, path: Buffer): boolean {
  try {
    return lstatSync(Buffer.concat([Buffer.from(`${to}/`), path]), { throwIfNoEntry: false }) !== undefined;
  } catch {
    // Too long to be asked for at once, or not to be looked at: whoever restored it would have said that it failed.
    return true;
  }
}

function isNothing({ counts }: ExtractResult): boolean {
  return Object.values(counts).every((count) => count === 0);
}

/** Once more from the front, passing over what is damaged. */
async function restoreWhatIsLeft(
  task: RestoreTask,
  { last, isLastDone, unproven, filter }: ReadSoFar,
): Promise<ExtractResult> {
  const { found, to, context } = task;
  const { output, signal } = context;
  const sources = found.job.values.get(BACKUP_SOURCES).map((source) => Buffer.from(source));
  let isLastWhole = last === undefined || isLastDone || !filter(last);
  let latest: ArchiveEntry | undefined;
  const entries = salvageArchive(await found.destination.get("archive", found.object.name, undefined, signal), {
    signal,
    known: [...(last === undefined ? [] : [last.pathBytes]), ...sources],
    onDamage({ what, offset }) {
      output.remark(`${what} at byte ${offset} is damaged; what begins in it can't be named without an index`);
      // Bytes that are lost or too many move all headers behind them.
      if (what === "a header" && latest?.type === "file" && filter(latest))
        output.remark(`${latest.path}: lies in front of the damaged header; what was restored of it may be wrong`);
    },
  });
  const options = {
    ...extractOptions(task),
    // What is there by now is ours.
    overwrite: true,
    filter(entry: ArchiveEntry) {
      isLastWhole ||= last?.pathBytes.equals(entry.pathBytes) === true;
      unproven.prove(entry);
      latest = entry;
      return filter(entry);
    },
  };
  const result = await extractEntries(entries, to, options, () => 0);
  if (!isLastWhole) output.remark(`${last?.path}: lies in a damaged part of the archive`);
  return { ...result, incomplete: result.incomplete + (isLastWhole ? 0 : 1) };
}

export function extractOptions({ overwrite, context }: RestoreTask) {
  return {
    signal: context.signal,
    overwrite,
    onNotice: (notice: ExtractNotice) => context.output.remark(`${notice.path}: ${notice.detail}`),
  };
}

export function nothingFound({ found, paths }: RestoreTask): UserError {
  return new UserError(`nothing in ${found.object.name} is called ${paths.map(({ text }) => text).join(" or ")}`, {
    hint: "lifeboat show lists what there is",
  });
}
