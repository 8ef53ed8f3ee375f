import { existsSync } from "node:fs";
import { open, rm, type FileHandle } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { MissingContent } from "../archive/read/read-errors.ts";
import { orAborted } from "../lib/abortable.ts";
import { formatBytes } from "../lib/bytes.ts";
import { messageOf, systemCode, UserError } from "../lib/errors.ts";
import { nameNewFile } from "../lib/name-new-file.ts";
import { archiveOptions, archiveOptionsHelp, searchOf } from "./archive-options.ts";
import { pickArchive, withArchives, type FoundArchive } from "./archives.ts";
import { fileContent } from "./archive-file.ts";
import { wantedPath } from "./archive-paths.ts";
import { createBlockCheck } from "./check-blocks.ts";
import { createCheck } from "./check-digest.ts";
import { UsageError } from "./arguments.ts";
import type { Command, CommandContext } from "./command.ts";
import { loadForCommand } from "./setup.ts";

const EXIT_FAILED = 1;

export const getCommand: Command = {
  usage: "get <archive|latest> [path] [--output FILE] [--job NAME] [--from TEXT]",
  summary: "copy an archive, or one file of it, to a file or to standard output",
  help: `Writes an archive to standard output, or to a file, which must not exist yet. The bytes are compared with the
SHA-256 in the record of its run, where there is one; a difference is an error, which names the damaged blocks where there
is an index. With a path, writes the content of that file of the archive, and reads no more than it needs.

  --output FILE, -o FILE   where to write; - is standard output (the default)
${archiveOptionsHelp}`,
  options: { ...archiveOptions, output: { type: "string", short: "o" } },
  positionals: { min: 1, max: 2 },
  async run(args, context) {
    const setup = await loadForCommand(context, { logToStderr: true });
    const output = args.text("output") ?? "-";
    if (output === "") throw new UsageError("--output takes a file name");
    const [wantedArchive = "", path] = args.positionals;
    const wanted = path === undefined ? undefined : wantedPath(path);
    if (output === "-" && wanted === undefined && process.stdout.isTTY) {
      throw new UsageError("an archive is not for a terminal: redirect standard output or use --output FILE");
    }
    return withArchives(setup, searchOf(args), context.signal, async (archives, unreachable) => {
      const found = pickArchive(archives, wantedArchive, unreachable);
      const copy: Copy =
        wanted === undefined
          ? (target, end) => copyArchive(found, target, context, end)
          : (target, end) => pipe(wanted.text, fileContent(found, wanted, context), target, context, end);
      if (output === "-") {
        const isComplete = await copy(process.stdout, false);
        // The reader went away; `pipefail` may want to know.
        if (!isComplete) return EXIT_FAILED;
      } else {
        const sizeBytes = await toFile(copy, output);
        context.output.remark(`${path ?? found.object.name} (${formatBytes(sizeBytes)}) written to ${output}`);
      }
      return 0;
    });
  },
};

/** False where the reader went away. */
type Copy = (target: NodeJS.WritableStream, end: boolean) => Promise<boolean>;

/** Complete under its name or not there at all; nothing that exists is replaced. Gives the size. */
async function toFile(copy: Copy, path: string): Promise<number> {
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
    const target = file.createWriteStream({ flush: true });
    await copy(target, true);
    await nameNewFile(partial, path);
    return target.bytesWritten;
  } catch (thrown) {
    if (systemCode(thrown) === "EEXIST") throw taken(path);
    throw thrown;
  } finally {
    await rm(partial, { force: true });
  }
}

async function copyArchive(
  found: FoundArchive,
  target: NodeJS.WritableStream,
  context: CommandContext,
  end: boolean,
): Promise<boolean> {
  const stream = await found.destination.get("archive", found.object.name, undefined, context.signal);
  const check = createCheck(found);
  const blocks = await createBlockCheck(found, context);
  if (!(await pipe(found.object.name, blocks.through(check.through(stream)), target, context, end))) return false;
  await blocks.verify();
  check.verify();
  return true;
}

/** Resolves when everything that was written so far is out of this process. */
function written(target: NodeJS.WritableStream): Promise<void> {
  return new Promise((resolve, reject) => {
    target.write("", (error) => (error ? reject(error) : resolve()));
  });
}

async function pipe(
  name: string,
  bytes: AsyncIterable<Uint8Array>,
  target: NodeJS.WritableStream,
  { signal }: CommandContext,
  end: boolean,
): Promise<boolean> {
  try {
    await pipeline(bytes, target, { signal, end });
    // The process ends right after this: what a slow reader has not taken yet would be lost.
    if (!end) await orAborted(written(target), signal);
  } catch (thrown) {
    if (systemCode(thrown) === "EPIPE") return false;
    if (systemCode(thrown) === "EEXIST" || signal.aborted || thrown instanceof UserError) throw thrown;
    const what = thrown instanceof MissingContent ? `it ${thrown.message}` : messageOf(thrown);
    throw new UserError(`could not copy ${name}: ${what}`, { cause: thrown });
  }
  return true;
}
