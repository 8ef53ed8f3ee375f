import type { ParseArgsOptionsConfig } from "node:util";
import type { Arguments } from "./arguments.ts";
import type { ArchiveSearch } from "./archives.ts";

/** Shared by the commands that take one archive. */
export const archiveOptions: ParseArgsOptionsConfig = { job: { type: "string" }, from: { type: "string" } };

export const archiveOptionsHelp = `  --job NAME     only archives of this job
  --from TEXT    only at destinations whose label contains this text (as lifeboat list shows it)`;

export function searchOf(args: Arguments): ArchiveSearch {
  const job = args.text("job");
  return { jobs: job === undefined ? [] : [job], from: args.text("from") };
}
