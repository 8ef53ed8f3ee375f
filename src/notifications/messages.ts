import type { ArchiveReport, DeliveryReport, PruneReport, RunReport } from "../contracts/run.ts";
import { formatBytes, formatSpan } from "../lib/bytes.ts";
import { printablePath } from "../lib/printable.ts";
import { eventName, isLaterSuccess, isBrokenConfig, type NotificationEvent } from "./events.ts";

export interface MessageText {
  readonly title: string;
  readonly body: string;
}

type RunEvent = NotificationEvent & { readonly kind: "run" };

/** How many of a list's entries a message names. */
const MOST_NAMED = 8;
/** How much of the log stands at a message's end; services cut what they can't take. */
const LOG_LINES = 20;

/** The text that is sent where no template says otherwise. */
export function defaultMessage(event: NotificationEvent): MessageText {
  switch (event.kind) {
    case "run":
      return { title: runTitle(event), body: runBody(event) };
    case "missed":
      return {
        title: `Backup of ${event.job} was missed`,
        body: [
          `A backup of ${event.job} was due at ${isoOf(event.dueAtMs)}, but nothing ran then.`,
          event.isCaughtUp
            ? "It is caught up shortly."
            : "It is not caught up; the next one runs at its scheduled time.",
          "What to do: see whether the container or the machine was stopped at that time.",
        ].join("\n"),
      };
    case "too-old":
      return {
        title: `No good backup of ${event.job} for ${formatSpan(event.maxAgeMs)}`,
        body: [
          event.lastGoodAtMs === undefined
            ? `There is no good backup of ${event.job} yet.`
            : `The last good backup of ${event.job} is from ${isoOf(event.lastGoodAtMs)}.`,
          `BACKUP_MAX_AGE allows ${formatSpan(event.maxAgeMs)}. This is told once, until a backup succeeds again.`,
          "What to do: `lifeboat history` shows the runs and why they failed.",
        ].join("\n"),
      };
  }
}

const TITLES: Readonly<Record<string, (job: string) => string>> = {
  success: (job) => `Backup of ${job} succeeded`,
  recovered: (job) => `Backup of ${job} succeeded again`,
  partial: (job) => `Backup of ${job} partly succeeded`,
  failed: (job) => `Backup of ${job} failed`,
  interrupted: (job) => `Backup of ${job} was interrupted`,
  skipped: (job) => `Backup of ${job} was skipped`,
  "bad-config": (job) => `Configuration of ${job} is broken`,
};

function runTitle(event: RunEvent): string {
  const name = eventName(event);
  return (TITLES[name] ?? ((job: string) => `Backup of ${job}: ${name}`))(event.report.job);
}

function runBody(event: RunEvent): string {
  const { report, lastGood, log } = event;
  const failures = failuresOf(report);
  const advice = adviceFor(event);
  const notes = report.warnings.filter(({ level }) => level === "note").map(({ text }) => text);
  const sections = [
    [statusLine(event), ...archiveLines(report, lastGood), ...whenLines(report)],
    listed("What went wrong:", failures),
    advice === undefined ? [] : [`What to do: ${advice}`],
    listed("Stored at:", storedLines(report)),
    listed("Removed by retention:", report.prunes.flatMap(prunedLines)),
    report.status === "success" ? [] : listed("Notes:", notes),
    listed("Log:", log.slice(-LOG_LINES), LOG_LINES),
  ];
  return (
    sections
      .filter((lines) => lines.length > 0)
      // A name with a line break or an escape in it stays on its line, as in the log.
      .map((lines) => lines.map(printablePath).join("\n"))
      .join("\n\n")
  );
}

const MEANINGS: Readonly<Record<string, string>> = {
  success: "success: stored everywhere, nothing missing",
  recovered: "success: stored everywhere, nothing missing; the run before was none",
  partial: "partial: stored, but something is missing or failed",
  failed: "failed: nothing was stored",
  interrupted: "interrupted: the run was stopped before its end",
  skipped: "skipped: nothing was done",
  "bad-config": "failed: the configuration can't be used; the last good version stays in use, if there is one",
};

function statusLine(event: RunEvent): string {
  if (isLaterSuccess(event)) return "Status: success: what was missing was stored by a later try";
  const name = eventName(event);
  return `Status: ${MEANINGS[name] ?? event.report.status}`;
}

function archiveLines({ archive }: RunReport, lastGood: RunReport | undefined): string[] {
  if (archive === undefined) return [];
  const { name, sizeBytes, counts, incomplete } = archive;
  const change = lastGood?.archive === undefined ? undefined : changeSince(archive, lastGood.archive);
  return [
    `Archive: ${name} (${formatBytes(sizeBytes)}, ${filesText(counts.files)})`,
    ...(change === undefined ? [] : [`Change: ${change}`]),
    ...(incomplete > 0 ? [`Missing or padded: ${filesText(incomplete)}`] : []),
  ];
}

/** `1.2 MB and 12 files more than the last good one`. */
function changeSince(now: ArchiveReport, before: ArchiveReport): string {
  const bytes = now.sizeBytes - before.sizeBytes;
  const files = now.counts.files - before.counts.files;
  if (bytes === 0 && files === 0) return "as large as the last good one, with as many files";
  const moreOrLess = (value: number): string => (value > 0 ? "more" : "less");
  const size = bytes === 0 ? "the same size" : `${formatBytes(Math.abs(bytes))} ${moreOrLess(bytes)}`;
  const count = files === 0 ? "as many files" : `${filesText(Math.abs(files))} ${files > 0 ? "more" : "fewer"}`;
  return `${size} and ${count} than the last good one`.replace("as many files than", "as many files as");
}

function filesText(count: number): string {
  return count === 1 ? "1 file" : `${count} files`;
}

function whenLines(report: RunReport): string[] {
  if (report.steps.length === 0) return [`At: ${report.startedAt} on ${report.host}`];
  const endedMs = Date.parse(report.endedAt ?? report.startedAt);
  const took = formatSpan(Math.max(0, endedMs - Date.parse(report.startedAt)));
  return [`Took: ${took}, from ${report.startedAt} on ${report.host} (${report.trigger}, run ${report.id})`];
}

function failuresOf(report: RunReport): string[] {
  const failures = [
    ...(report.error === undefined ? [] : [report.error]),
    ...report.deliveries.filter(({ status }) => status === "failed").map(failedDelivery),
    ...report.warnings.filter(({ level }) => level === "warning").map(({ text }) => text),
    ...report.prunes.flatMap(({ destination, error }) =>
      error === undefined ? [] : [`removing old archives at ${destination}: ${error}`],
    ),
  ];
  // The run's own reason is the first of the others; it is said once.
  return failures.filter(
    (text, at) => failures.findIndex((other) => other.includes(text) || text.includes(other)) === at,
  );
}

function failedDelivery({ destination, error, attempts }: DeliveryReport): string {
  return `${destination}: ${error ?? "failed"}${attempts > 1 ? ` (${attempts} attempts)` : ""}`;
}

function storedLines({ deliveries }: RunReport): string[] {
  return deliveries
    .filter(({ status }) => status === "stored")
    .map(({ destination, verified }) =>
      verified === undefined ? destination : `${destination} (checked: ${verified})`,
    );
}

function prunedLines({ destination, removed }: PruneReport): string[] {
  return removed.map((name) => `${name} at ${destination}`);
}

function listed(heading: string, lines: readonly string[], most = MOST_NAMED): string[] {
  if (lines.length === 0) return [];
  const more = lines.length - most;
  return [heading, ...lines.slice(0, most).map((line) => `- ${line}`), ...(more > 0 ? [`- and ${more} more`] : [])];
}

function adviceFor({ report }: RunEvent): string | undefined {
  if (report.status === "success") return undefined;
  if (isBrokenConfig(report)) return "correct the line that is named; the change is picked up within five seconds";
  if (report.status === "skipped") {
    return "give the job a schedule that leaves a run the time it needs, or make it smaller";
  }
  if (report.status === "interrupted") {
    return "nothing, if you stopped it; the next run cleans up. Else look for a lack of memory or a restart of the container";
  }
  if (report.deliveries.some(({ status }) => status === "failed")) {
    return "`lifeboat check` tries every destination step by step and says which setting to look at";
  }
  return "`lifeboat history --json` has every step of the run; `lifeboat run` tries again now";
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
