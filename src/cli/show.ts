import { asArchiveEntry } from "../archive/index/entries.ts";
import { listEntries, type ArchiveEntry } from "../archive/read/read.ts";
import { UserError } from "../lib/errors.ts";
import { isoTime, localIso } from "../lib/iso-time.ts";
import { openArchiveIndex } from "./archive-index.ts";
import { archiveOptions, archiveOptionsHelp, searchOf } from "./archive-options.ts";
import { isWanted, wantedPath, type WantedPath } from "./archive-paths.ts";
import { pickArchive, withArchives, type FoundArchive } from "./archives.ts";
import type { Command, CommandContext } from "./command.ts";
import { loadForCommand } from "./setup.ts";

export const showCommand: Command = {
  usage: "show <archive|latest> [path] [--job NAME] [--from TEXT] [--json]",
  summary: "the files in an archive",
  help: `Lists what is in an archive: mode, owner, size, time and path of each entry. With a path only that entry and what is
below it. The list comes from the archive's index, of which only the needed part is read. Where there is no index that fits,
the archive is read from front to back; a damaged one is then an error, after everything that could still be read.

${archiveOptionsHelp}
  --json         one JSON object a line`,
  options: { ...archiveOptions, json: { type: "boolean" } },
  positionals: { min: 1, max: 2 },
  async run(args, context) {
    const [wantedArchive = "", below] = args.positionals;
    const wanted = wantedPath(below ?? ".");
    const setup = await loadForCommand(context, { logToStderr: true });
    return withArchives(setup, searchOf(args), context.signal, async (archives, unreachable) => {
      const found = pickArchive(archives, wantedArchive, unreachable);
      let entries = 0;
      for await (const entry of entriesOf(found, wanted, context)) {
        context.output.print(args.flag("json") ? JSON.stringify(asJson(entry)) : line(entry));
        entries += 1;
      }
      if (entries > 0 || below === undefined) return 0;
      throw new UserError(`nothing in ${found.object.name} is called ${below}`, {
        hint: "lifeboat show without a path lists everything",
      });
    });
  },
};

async function* entriesOf(
  found: FoundArchive,
  wanted: WantedPath,
  context: CommandContext,
): AsyncGenerator<ArchiveEntry, void, void> {
  // Proven before the first line: nothing must be shown twice.
  const opened = await openArchiveIndex(found, context, wanted.candidates);
  if (opened !== undefined) {
    const path = await opened.index.firstOf(wanted.candidates);
    if (path === undefined) return;
    for await (const entry of opened.index.atOrBelow(path)) yield asArchiveEntry(entry);
    return;
  }
  const { destination, object } = found;
  const stream = await destination.get("archive", object.name, undefined, context.signal);
  for await (const entry of listEntries(stream, { archiveName: object.name, signal: context.signal })) {
    if (isWanted(entry.pathBytes, wanted)) yield entry;
  }
}

const LETTER: Record<ArchiveEntry["type"], string> = {
  file: "-",
  directory: "d",
  symlink: "l",
  hardlink: "h",
  fifo: "p",
  "character-device": "c",
  "block-device": "b",
  unsupported: "?",
};

function line(entry: ArchiveEntry): string {
  const link = entry.linkPath === undefined ? "" : ` ${entry.type === "hardlink" ? "link to" : "->"} ${entry.linkPath}`;
  const owner = `${entry.uid}/${entry.gid}`.padEnd(11);
  return `${LETTER[entry.type]}${permissions(entry.mode)} ${owner} ${String(entry.sizeBytes).padStart(12)} ${localIso(entry.mtimeMs)} ${entry.path}${link}`;
}

/** `rwxr-sr-t`, as `ls` writes it. */
export function permissions(mode: number): string {
  const bits = ["r", "w", "x"];
  const text = [...Array(9).keys()].map((at) => ((mode >> (8 - at)) & 1 ? (bits[at % 3] ?? "-") : "-"));
  for (const [bit, at, letter] of [
    [0o4000, 2, "s"],
    [0o2000, 5, "s"],
    [0o1000, 8, "t"],
  ] as const) {
    if (mode & bit) text[at] = text[at] === "x" ? letter : letter.toUpperCase();
  }
  return text.join("");
}

function asJson(entry: ArchiveEntry): unknown {
  return {
    path: entry.path,
    type: entry.type,
    sizeBytes: entry.sizeBytes,
    mtime: isoTime(entry.mtimeMs),
    mode: (entry.mode & 0o7777).toString(8).padStart(4, "0"),
    uid: entry.uid,
    gid: entry.gid,
    ...(entry.linkPath === undefined ? {} : { linkPath: entry.linkPath }),
  };
}
