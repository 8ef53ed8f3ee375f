import { extractArchive } from "../archive/read/extract.ts";
import { formatBytes } from "../lib/bytes.ts";
import { archiveOptions, archiveOptionsHelp, searchOf } from "./archive-options.ts";
import { pickArchive, withArchives } from "./archives.ts";
import { UsageError } from "./arguments.ts";
import { createCheck } from "./check-digest.ts";
import type { Command } from "./command.ts";
import { loadForCommand } from "./setup.ts";

const EXIT_PARTIAL = 3;

export const restoreCommand: Command = {
  usage: "restore <archive|latest> --to DIR [--overwrite] [--job NAME] [--from TEXT]",
  summary: "unpack an archive into a folder",
  help: `Unpacks a whole archive below DIR, which must be new or empty, and never writes outside it. Owners and special bits
are restored when run as root. What could not be restored is listed, and the exit code is then 3.

  --to DIR       the folder to unpack into; made if it is missing
  --overwrite    allow a folder that has something in it; files of the same names are replaced
${archiveOptionsHelp}`,
  options: { ...archiveOptions, to: { type: "string" }, overwrite: { type: "boolean" } },
  positionals: { min: 1, max: 1 },
  async run(args, context) {
    const to = args.text("to");
    if (to === undefined || to === "") throw new UsageError("--to DIR is missing: where shall the files go?");
    const setup = await loadForCommand(context, { logToStderr: true });
    return withArchives(setup, searchOf(args), context.signal, async (archives, unreachable) => {
      const found = pickArchive(archives, args.positionals[0] ?? "", unreachable);
      const { destination, object } = found;
      const stream = await destination.get("archive", object.name, undefined, context.signal);
      const check = createCheck(found);
      const result = await extractArchive(check.through(stream), to, {
        archiveName: object.name,
        signal: context.signal,
        overwrite: args.flag("overwrite"),
        onNotice: (notice) => context.output.remark(`${notice.path}: ${notice.detail}`),
      });
      check.verify();
      context.output.print(
        `restored ${result.counts.files} ${result.counts.files === 1 ? "file" : "files"} (${formatBytes(result.bytesWritten)}) from ${object.name} into ${to}`,
      );
      if (result.incomplete === 0) return 0;
      context.output.remark(`not restored: ${result.incomplete} (listed above)`);
      return EXIT_PARTIAL;
    });
  },
};
