import { readEntries } from "../archive/index/entries.ts";
import { IndexFault } from "../archive/index/format.ts";
import { plainPath } from "../archive/path-order.ts";
import { readArchive, type ArchiveEntry, type EntryWithBody } from "../archive/read/read.ts";
import { UserError } from "../lib/errors.ts";
import { openArchiveIndex, sayNoIndex } from "./archive-index.ts";
import type { WantedPath } from "./archive-paths.ts";
import type { FoundArchive } from "./archives.ts";
import { createCheck } from "./check-digest.ts";
import type { CommandContext } from "./command.ts";

/**
 * The content of one file of an archive: by its index from the middle, else by reading from the front, and to the end: only
 * there is it proven.
 */
export async function* fileContent(
  found: FoundArchive,
  wanted: WantedPath,
  context: CommandContext,
): AsyncGenerator<Buffer, void, undefined> {
  const { object } = found;
  let isFound = false;
  for await (const { entry, body } of entriesOf(found, wanted, context)) {
    const path = plainPath(entry.pathBytes);
    if (!wanted.candidates.some((candidate) => candidate.equals(path))) continue;
    if (isFound) {
      throw new UserError(`${entry.path} is in ${object.name} more than once, and this was not the last`, {
        hint: `use lifeboat restore ${object.name} ${entry.path} --to DIR: there the last one counts`,
      });
    }
    isFound = true;
    if (entry.type !== "file") throw notAFile(entry, found);
    yield* body;
  }
  if (!isFound) {
    throw new UserError(`nothing in ${object.name} is called ${wanted.text}`, {
      hint: "lifeboat show lists what there is",
    });
  }
}

async function* entriesOf(
  found: FoundArchive,
  wanted: WantedPath,
  context: CommandContext,
): AsyncGenerator<EntryWithBody, void, undefined> {
  const { destination, object } = found;
  const { signal } = context;
  const opened = await openArchiveIndex(found, context, wanted.candidates);
  if (opened !== undefined) {
    const { index, raw } = opened;
    try {
      const path = await index.firstOf(wanted.candidates);
      const first = await readEntries(index, raw, path === undefined ? [] : [path], () => undefined).next();
      if (first.done !== true) yield first.value;
      return;
    } catch (thrown) {
      if (!(thrown instanceof IndexFault)) throw thrown;
      sayNoIndex(found, context, `it ${thrown.message}`);
    }
  }
  const stream = await destination.get("archive", object.name, undefined, signal);
  const check = createCheck(found);
  yield* readArchive(check.through(stream), { archiveName: object.name, signal });
  check.verify();
}

function notAFile(entry: ArchiveEntry, { object }: FoundArchive): UserError {
  const { path, type, linkPath = "" } = entry;
  if (type === "directory") {
    return new UserError(`${path} is a folder`, { hint: `use lifeboat restore ${object.name} ${path} --to DIR` });
  }
  if (type === "symlink")
    return new UserError(`${path} is a link to ${linkPath}`, { hint: "name the file it leads to" });
  if (type === "hardlink") {
    return new UserError(`${path} shares its content with ${linkPath}`, { hint: `get ${linkPath} instead` });
  }
  return new UserError(`${path} is not a regular file`);
}
