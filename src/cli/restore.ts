import { readEntries } from "../archive/index/entries.ts";
import { describeBlock } from "../archive/index/blocks.ts";
import { IndexFault } from "../archive/index/format.ts";
import type { ArchiveIndex } from "../archive/index/reader.ts";
import { extractEntries, type ExtractNotice, type ExtractResult } from "../archive/read/extract.ts";
import { readArchive, type ArchiveEntry, type EntryWithBody } from "../archive/read/read.ts";
import { DamagedArchive } from "../archive/read/read-errors.ts";
import { salvageArchive } from "../archive/read/salvage.ts";
import { BACKUP_SOURCES } from "../archive/settings.ts";
import { formatBytes } from "../lib/bytes.ts";
import { messageOf, UserError } from "../lib/errors.ts";
import { openArchiveIndex, sayNoIndex, type OpenedIndex } from "./archive-index.ts";
import { archiveOptions, archiveOptionsHelp, searchOf } from "./archive-options.ts";
import { isWanted, wantedPath, type WantedPath } from "./archive-paths.ts";
import { pickArchive, withArchives, type FoundArchive } from "./archives.ts";
import { UsageError } from "./arguments.ts";
import { createCheck } from "./check-digest.ts";
import type { Command, CommandContext } from "./command.ts";
import { loadForCommand } from "./setup.ts";
import { createUnprovenEntries, type UnprovenEntries } from "./unproven-entries.ts";

const EXIT_PARTIAL = 3;
const MOST_PATHS = 1_000;

export const restoreCommand: Command = {
  usage: "restore <archive|latest> [path…] --to DIR [--overwrite] [--job NAME] [--from TEXT]",
  summary: "unpack an archive, or some paths of it, into a folder",
  help: `Unpacks a whole archive, or only these paths and what is below them, below DIR, which must be new or empty, and never
writes outside it. Owners and special bits are restored when run as root. What could not be restored is listed, and the
exit code is then 3.

With the archive's index only the needed parts of the archive are read, each is compared with its SHA-256 before it is used,
and what lies outside of a damaged part is still restored. Without an index the archive is read from front to back.

  --to DIR       the folder to unpack into; made if it is missing
  --overwrite    allow a folder that has something in it; files of the same names are replaced
${archiveOptionsHelp}`,
  options: { ...archiveOptions, to: { type: "string" }, overwrite: { type: "boolean" } },
  positionals: { min: 1, max: 1 + MOST_PATHS },
  async run(args, context) {
    const to = args.text("to");
    if (to === undefined || to === "") throw new UsageError("--to DIR is missing: where shall the files go?");
    const [wantedArchive = "", ...texts] = args.positionals;
    const paths = texts.map(wantedPath);
    const setup = await loadForCommand(context, { logToStderr: true });
    return withArchives(setup, searchOf(args), context.signal, async (archives, unreachable) => {
      const found = pickArchive(archives, wantedArchive, unreachable);
      const task = { found, paths, to, overwrite: args.flag("overwrite"), context };
      const { result, missing, doubtful } = await restore(task);
      const { files } = result.counts;
      context.output.print(
        `restored ${files} ${files === 1 ? "file" : "files"} (${formatBytes(result.bytesWritten)}) from ${found.object.name} into ${to}`,
      );
      for (const { text } of missing) context.output.remark(`nothing in the archive is called ${text}`);
      if (doubtful > 0) context.output.remark(`restored, but maybe wrong: ${doubtful} (listed above)`);
      if (result.incomplete > 0) context.output.remark(`not restored: ${result.incomplete} (listed above)`);
      return result.incomplete + missing.length === 0 ? 0 : EXIT_PARTIAL;
    });
  },
};

interface RestoreTask {
  readonly found: FoundArchive;
  /** Empty: the whole archive. */
  readonly paths: readonly WantedPath[];
  readonly to: string;
  readonly overwrite: boolean;
  readonly context: CommandContext;
}

interface Restored {
  readonly result: ExtractResult;
  readonly missing: readonly WantedPath[];
  /** Entries that were restored from a block whose checksum is wrong. */
  readonly doubtful: number;
}

async function restore(task: RestoreTask): Promise<Restored> {
  const { found, paths, context } = task;
  const roots = paths.length === 0 ? [wantedPath(".")] : paths;
  const opened = await openArchiveIndex(
    found,
    context,
    roots.flatMap(({ candidates }) => candidates),
  );
  if (opened === undefined) return restoreFromStream(task);
  let hasBegun = false;
  try {
    const { wanted, missing } = await findRoots(roots, opened.index);
    if (wanted.length === 0) throw nothingFound(task);
    hasBegun = true;
    return { result: await restoreFromIndex(task, wanted, opened), missing, doubtful: 0 };
  } catch (thrown) {
    if (!(thrown instanceof IndexFault)) throw thrown;
    sayNoIndex(found, context, `it ${thrown.message}`);
    // What is in the target by now is ours: it was looked at before anything was written.
    return restoreFromStream({ ...task, overwrite: task.overwrite || hasBegun });
  }
}

/** Of what each path can mean, the first that is there. */
async function findRoots(
  roots: readonly WantedPath[],
  index: ArchiveIndex,
): Promise<{ readonly wanted: readonly Buffer[]; readonly missing: readonly WantedPath[] }> {
  const wanted: Buffer[] = [];
  const missing: WantedPath[] = [];
  for (const root of roots) {
    const path = await index.firstOf(root.candidates);
    if (path === undefined) missing.push(root);
    else wanted.push(path);
  }
  return { wanted, missing };
}

async function restoreFromIndex(
  task: RestoreTask,
  wanted: readonly Buffer[],
  { index, raw }: OpenedIndex,
): Promise<ExtractResult> {
  const damaged = new Set<string>();
  const entries = readEntries(index, raw, wanted, ({ block }) => damaged.add(describeBlock(block)));
  const result = await extractEntries(entries, task.to, extractOptions(task), () => 0);
  for (const block of damaged) task.context.output.remark(`${block} is damaged`);
  return result;
}

async function restoreFromStream(task: RestoreTask): Promise<Restored> {
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
  let result: ExtractResult;
  let doubtful = 0;
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
    result = await extractEntries(entries(), to, { ...extractOptions(task), filter }, () => 0);
    check.verify();
  } catch (thrown) {
    const isDamaged = thrown instanceof UserError && thrown.cause instanceof DamagedArchive;
    if (!isDamaged) throw thrown;
    context.output.remark(`${messageOf(thrown)}; now for what lies behind the damage`);
    result = await restoreWhatIsLeft(task, { last, isLastDone }, unproven, filter);
    if (last === undefined && Object.values(result.counts).every((count) => count === 0)) throw thrown;
    const unsure = unproven.paths();
    for (const path of unsure)
      context.output.remark(`${path}: lies in a damaged part of the archive; what was restored of it may be wrong`);
    doubtful = unsure.length;
  }
  if (paths.length > 0 && met.size === 0) throw nothingFound(task);
  return { result, missing: paths.filter((path) => !met.has(path)), doubtful };
}

interface BeforeDamage {
  /** The last entry whose headers could be read. */
  readonly last: ArchiveEntry | undefined;
  /** Its content could be read, too. */
  readonly isLastDone: boolean;
}

/** Once more from the front, passing over what is damaged. */
async function restoreWhatIsLeft(
  task: RestoreTask,
  { last, isLastDone }: BeforeDamage,
  unproven: UnprovenEntries,
  filter: (entry: ArchiveEntry) => boolean,
): Promise<ExtractResult> {
  const { found, to, context } = task;
  const { output, signal } = context;
  const sources = found.job.values.get(BACKUP_SOURCES).map((source) => Buffer.from(source));
  let isLastWhole = last === undefined || isLastDone || !filter(last);
  const entries = salvageArchive(await found.destination.get("archive", found.object.name, undefined, signal), {
    signal,
    known: [...(last === undefined ? [] : [last.pathBytes]), ...sources],
    onDamage: ({ what, offset }) =>
      output.remark(`${what} at byte ${offset} is damaged; what begins in it can't be named without an index`),
  });
  const options = {
    ...extractOptions(task),
    // What is there by now is ours.
    overwrite: true,
    filter(entry: ArchiveEntry) {
      isLastWhole ||= last?.pathBytes.equals(entry.pathBytes) === true;
      unproven.prove(entry);
      return filter(entry);
    },
  };
  const result = await extractEntries(entries, to, options, () => 0);
  if (!isLastWhole) output.remark(`${last?.path}: lies in a damaged part of the archive`);
  return { ...result, incomplete: Math.max(1, result.incomplete + (isLastWhole ? 0 : 1)) };
}

function extractOptions({ overwrite, context }: RestoreTask) {
  return {
    signal: context.signal,
    overwrite,
    onNotice: (notice: ExtractNotice) => context.output.remark(`${notice.path}: ${notice.detail}`),
  };
}

function nothingFound({ found, paths }: RestoreTask): UserError {
  return new UserError(`nothing in ${found.object.name} is called ${paths.map(({ text }) => text).join(" or ")}`, {
    hint: "lifeboat show lists what there is",
  });
}
