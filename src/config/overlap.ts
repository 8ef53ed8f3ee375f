import type { Job } from "../contracts/job.ts";
import { BACKUP_COMPRESSION, BACKUP_FILENAME, BACKUP_FILENAME_EXPAND } from "../archive/settings.ts";
import { zoneOf } from "../lib/zone-setting.ts";
import { sampleName } from "./filename.ts";
import { destinationParts, type LoadedJob } from "./job.ts";
import type { Problem } from "./problem.ts";

/** Far apart in every part of a date, so that different patterns hardly look alike at all of them. */
const INSTANTS_MS = [Date.UTC(2026, 10, 22, 21, 30, 5), Date.UTC(2031, 1, 3, 4, 7, 59)];
const MOST_NAMES_SHOWN = 5;

const EXTENSIONS: Readonly<Record<string, string>> = { gz: "tar.gz", zst: "tar.zst", none: "tar" };

/** Jobs that store in one folder under names that can be the same: each would replace the other's archives. */
export function overlaps(jobs: readonly LoadedJob[]): Problem[] {
  const reported = new Set<string>();
  const groups = new Map<string, LoadedJob[]>();
  for (const part of destinationParts()) {
    for (const job of jobs) {
      if (part.isConfigured?.(job.values) !== true) continue;
      // The numbered sets of a kind can name the same place as the plain one.
      const kind = part.original ?? part.part;
      const names = INSTANTS_MS.map((instant) => nameAt(job, instant));
      const identity = JSON.stringify([kind, part.target?.(job.values), names]);
      groups.set(identity, [...(groups.get(identity) ?? []), job]);
    }
  }
  return [...groups.values()].flatMap((members) => {
    const group = [...new Set(members)];
    const names = group.map(({ name }) => name).join("\0");
    if (members.length < 2 || reported.has(names)) return [];
    reported.add(names);
    return [group.length < 2 ? storesTwice(group) : warning(group)];
  });
}

function storesTwice([job]: readonly LoadedJob[]): Problem {
  return {
    severity: "warning",
    message: "two of its destinations are the same place, so everything is sent there twice; remove one",
    ...(job?.origin.kind === "file" ? { file: job.origin.path } : {}),
  };
}

function warning(group: readonly LoadedJob[]): Problem {
  const last = group.at(-1);
  const shown = group
    .slice(0, MOST_NAMES_SHOWN)
    .map(({ name }) => name)
    .join(", ");
  const more = group.length > MOST_NAMES_SHOWN ? ` and ${group.length - MOST_NAMES_SHOWN} more` : "";
  const origin = last?.origins.get(BACKUP_FILENAME.key);
  return {
    severity: "warning",
    key: BACKUP_FILENAME.key,
    message: `the jobs ${shown}${more} store archives under the same names in the same folder; give each its own names or its own folder`,
    ...(last?.origin.kind === "file" ? { file: last.origin.path } : {}),
    ...(origin?.kind === "file" ? { line: origin.line } : {}),
  };
}

function nameAt({ values, environment }: Job, instantMs: number): string {
  return sampleName(values.get(BACKUP_FILENAME), {
    expand: values.get(BACKUP_FILENAME_EXPAND),
    environment,
    extension: EXTENSIONS[values.get(BACKUP_COMPRESSION)] ?? "tar",
    zone: zoneOf(values),
    instantMs,
  });
}
