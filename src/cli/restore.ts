import { readEntries } from "../archive/index/entries.ts";
import { describeBlock } from "../archive/index/blocks.ts";
import { IndexFault } from "../archive/index/format.ts";
import type { ArchiveIndex } from "../archive/index/reader.ts";
import { extractEntries, type ExtractResult } from "../archive/read/extract.ts";
import { formatBytes } from "../lib/bytes.ts";
import { openArchiveIndex, sayNoIndex, type OpenedIndex } from "./archive-index.ts";
import { archiveOptions, archiveOptionsHelp, searchOf } from "./archive-options.ts";
import { wantedPath, type WantedPath } from "./archive-paths.ts";
import { pickArchive, withArchives } from "./archives.ts";
import { UsageError } from "./arguments.ts";
import type { Command } from "./command.ts";
import { extractOptions, nothingFound, restoreFromStream, type Restored, type RestoreTask } from "./restore-stream.ts";
import { loadForCommand } from "./setup.ts";

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
      const { result, missing, doubtful, isDamaged } = await restore(task);
      const { files } = result.counts;
      context.output.print(
        `restored ${files} ${files === 1 ? "file" : "files"} (${formatBytes(result.bytesWritten)}) from ${found.object.name} into ${to}`,
      );
      for (const { text } of missing) context.output.remark(`nothing in the archive is called ${text}`);
      if (doubtful > 0) context.output.remark(`restored, but maybe wrong: ${doubtful} (listed above)`);
      if (result.incomplete > 0) context.output.remark(`not restored: ${result.incomplete} (listed above)`);
      return result.incomplete + missing.length === 0 && !isDamaged ? 0 : EXIT_PARTIAL;
    });
  },
};

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
    return { result: await restoreFromIndex(task, wanted, opened), missing, doubtful: 0, isDamaged: false };
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
