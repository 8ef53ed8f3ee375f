import { existsSync } from "node:fs";
import { link, open, rm, type FileHandle } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { formatBytes } from "../lib/bytes.ts";
import { messageOf, systemCode, UserError } from "../lib/errors.ts";
import { archiveOptions, archiveOptionsHelp, searchOf } from "./archive-options.ts";
import { pickArchive, withArchives, type FoundArchive } from "./archives.ts";
import { createCheck } from "./check-digest.ts";
import { UsageError } from "./arguments.ts";
import type { Command, CommandContext } from "./command.ts";
import { loadForCommand } from "./setup.ts";

const EXIT_FAILED = 1;

export const getCommand: Command = {
  usage: "get <archive|latest> [--output FILE] [--job NAME] [--from TEXT]",
  summary: "copy an archive to a file or to standard output",
  help: `Writes an archive to standard output, or to a file, which must not exist yet. The bytes are compared with the
SHA-256 in the record of its run, where there is one; a difference is an error.

  --output FILE, -o FILE   where to write; - is standard output (the default)
${archiveOptionsHelp}`,
  options: { ...archiveOptions, output: { type: "string", short: "o" } },
  positionals: { min: 1, max: 1 },
  async run(args, context) {
    const setup = await loadForCommand(context, { logToStderr: true });
    const output = args.text("output") ?? "-";
    if (output === "") throw new UsageError("--output takes a file name");
    if (output === "-" && process.stdout.isTTY) {
      throw new UsageError("an archive is not for a terminal: redirect standard output or use --output FILE");
    }
    return withArchives(setup, searchOf(args), context.signal, async (archives, unreachable) => {
      const found = pickArchive(archives, args.positionals[0] ?? "", unreachable);
      if (output === "-") {
        const isComplete = await copyTo(found, process.stdout, context, false);
        // The reader went away; `pipefail` may want to know.
        if (!isComplete) return EXIT_FAILED;
      } else {
        await toFile(found, output, context);
        context.output.remark(`${found.object.name} (${formatBytes(found.object.sizeBytes)}) written to ${output}`);
      }
      return 0;
    });
  },
};

/** Complete under its name or not there at all; nothing that exists is replaced. */
async function toFile(found: FoundArchive, path: string, context: CommandContext): Promise<void> {
  const partial = `${path}.partial`;
  const taken = (name: string): UserError =>
    new UserError(`${name} exists already`, { hint: "choose another name, or remove it first" });
  if (existsSync(path)) throw taken(path);
  let file: FileHandle;
  try {
    file = await open(partial, "wx", 0o600);
  } catch (thrown) {
    if (systemCode(thrown) === "EEXIST") throw taken(partial);
    throw new UserError(`cannot write ${partial}: ${messageOf(thrown)}`, { cause: thrown });
  }
  try {
    await copyTo(found, file.createWriteStream({ flush: true }), context, true);
    // A link never replaces what came to be there in the meantime, a rename would.
    await link(partial, path);
  } catch (thrown) {
    if (systemCode(thrown) === "EEXIST") throw taken(path);
    throw thrown;
  } finally {
    await rm(partial, { force: true });
  }
}

async function copyTo(
  found: FoundArchive,
  target: NodeJS.WritableStream,
  context: CommandContext,
  end: boolean,
): Promise<boolean> {
  const stream = await found.destination.get("archive", found.object.name, undefined, context.signal);
  const check = createCheck(found);
  try {
    await pipeline(stream, check.through, target, { signal: context.signal, end });
  } catch (thrown) {
    if (systemCode(thrown) === "EPIPE") return false;
    if (systemCode(thrown) === "EEXIST" || context.signal.aborted) throw thrown;
    throw new UserError(`could not copy ${found.object.name}: ${messageOf(thrown)}`, { cause: thrown });
  }
  check.verify();
  return true;
}
