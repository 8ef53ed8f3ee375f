import { destinationParts } from "./job.ts";
import type { Layer } from "./layer.ts";
import type { Problem } from "./problem.ts";
import { DEFAULT_FOLDERS, isFolder, listFolder, type FolderListing } from "./sources.ts";
import { createValues } from "./values.ts";

export interface FolderChoice {
  /** Absent: the process environment is the job. */
  readonly listing?: FolderListing;
  readonly problems: readonly Problem[];
  /** Folders whose contents decide this choice. */
  readonly watched: readonly string[];
}

/**
 * Which folder's files are the jobs: the one that is named, else the first default folder that has any. An empty default
 * folder gives way to an environment that describes a job; one that was in use and is gone does not.
 */
export function chooseFolder(
  environment: Layer,
  named: string | undefined,
  {
    defaultFolders: defaults = DEFAULT_FOLDERS,
    folderInUse,
  }: { readonly defaultFolders?: readonly string[]; readonly folderInUse?: string | undefined } = {},
): FolderChoice {
  if (named !== undefined) return { listing: listFolder(named), problems: [], watched: [named] };
  const listings = defaults.filter(isFolder).map(listFolder);
  const [first] = listings;
  if (first === undefined && folderInUse !== undefined)
    return { listing: listFolder(folderInUse), problems: [], watched: defaults };
  if (first === undefined) return { problems: [], watched: defaults };
  const [chosen, ...others] = listings.filter(({ files }) => files.length > 0);
  if (chosen !== undefined) {
    const problems = others.map(({ folder }): Problem => ({
      severity: "warning",
      file: folder,
      message: `is ignored: the jobs are read from ${chosen.folder}`,
    }));
    return { listing: chosen, problems, watched: defaults };
  }
  if (first.readable && describesJob(environment)) {
    const problem: Problem = {
      severity: "warning",
      file: first.folder,
      message: "holds no job, so the process environment is the job",
    };
    return { problems: [problem, ...first.problems], watched: defaults };
  }
  return { listing: first, problems: [], watched: defaults };
}

/** Whether an environment names a schedule or a destination. */
function describesJob(environment: Layer): boolean {
  const raw: Record<string, string> = {};
  for (const [key, { text }] of environment.values) if (text !== "") raw[key] = text;
  if ("BACKUP_CRON_EXPRESSION" in raw || "BACKUP_ARCHIVE" in raw) return true;
  const values = createValues(raw);
  return destinationParts().some((part) => part.part !== "local" && part.isConfigured?.(values) === true);
}
