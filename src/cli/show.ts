import { listEntries, type ArchiveEntry } from "../archive/read/read.ts";
import { isoTime, localIso } from "../lib/iso-time.ts";
import { archiveOptions, archiveOptionsHelp, searchOf } from "./archive-options.ts";
import { pickArchive, withArchives } from "./archives.ts";
import type { Command } from "./command.ts";
import { loadForCommand } from "./setup.ts";

export const showCommand: Command = {
  usage: "show <archive|latest> [path] [--job NAME] [--from TEXT] [--json]",
  summary: "the files in an archive",
  help: `Lists what is in an archive: mode, owner, size, time and path of each entry. With a path only that entry and what is
below it. A damaged archive is an error, after everything that could still be read.

${archiveOptionsHelp}
  --json         one JSON object a line`,
  options: { ...archiveOptions, json: { type: "boolean" } },
  positionals: { min: 1, max: 2 },
  async run(args, context) {
    const setup = await loadForCommand(context, { logToStderr: true });
    const [wanted = "", below] = args.positionals;
    return withArchives(setup, searchOf(args), context.signal, async (archives, unreachable) => {
      const { destination, object } = pickArchive(archives, wanted, unreachable);
      const stream = await destination.get("archive", object.name, undefined, context.signal);
      const prefix = below?.replace(/^\/+/, "").replace(/\/+$/, "");
      for await (const entry of listEntries(stream, { archiveName: object.name, signal: context.signal })) {
        if (prefix !== undefined && prefix !== "" && !isAtOrBelow(entry.path, prefix)) continue;
        context.output.print(args.flag("json") ? JSON.stringify(asJson(entry)) : line(entry));
      }
      return 0;
    });
  },
};

function isAtOrBelow(path: string, prefix: string): boolean {
  const plain = path.replace(/^\/+/, "").replace(/\/+$/, "");
  return plain === prefix || plain.startsWith(`${prefix}/`);
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
