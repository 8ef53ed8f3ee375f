import type { RunReport } from "../contracts/run.ts";
import { formatBytes, formatSpan } from "../lib/bytes.ts";
import { localIso } from "../lib/iso-time.ts";
import { printablePath } from "../lib/printable.ts";
import { knownRuns } from "./known-runs.ts";
import type { Command } from "./command.ts";
import { table } from "./output.ts";
import { loadForCommand, sayErrors } from "./setup.ts";

export const historyCommand: Command = {
  usage: "history [job] [--limit N] [--json]",
  summary: "the runs and what became of them",
  help: `Lists runs, the newest first, from the history in the state folder and the records that lie beside the archives. After each
destination stands what was compared before the delivery counted (sha256, md5, crc or size), and "later" where it was stored by
a later try.

  --limit N   at most N runs (default 20)
  --json      the full reports as a JSON array`,
  options: { limit: { type: "string" }, json: { type: "boolean" } },
  positionals: { min: 0, max: 1 },
  async run(args, context) {
    const setup = await loadForCommand(context, { logToStderr: true });
    // Without a job nobody knows where records lie; the state folder's history is shown all the same.
    if (setup.loaded.jobs.length === 0) sayErrors(setup);
    const [job] = args.positionals;
    const runs = await knownRuns(setup, context, {
      ...(job === undefined ? {} : { job }),
      limit: args.count("limit") ?? 20,
    });
    if (args.flag("json")) {
      context.output.print(setup.redact(JSON.stringify(runs, undefined, 2)));
      return 0;
    }
    if (runs.length === 0) {
      context.output.print(job === undefined ? "no runs yet" : `no runs of ${printablePath(job)} are known`);
      return 0;
    }
    context.output.print(setup.redact(table(HEADER, runs.map(row), [4, 5])));
    return 0;
  },
};

const HEADER = ["STARTED", "JOB", "STATUS", "TRIGGER", "SIZE", "TOOK", "ARCHIVE", "STORED AT", "WHY"];

function row(run: RunReport): string[] {
  const tookMs = run.endedAt === undefined ? undefined : Date.parse(run.endedAt) - Date.parse(run.startedAt);
  const stored = run.deliveries.filter((delivery) => delivery.status === "stored");
  return [
    localIso(Date.parse(run.startedAt)),
    run.job,
    run.status,
    run.trigger,
    run.archive === undefined ? "-" : formatBytes(run.archive.sizeBytes),
    tookMs === undefined ? "-" : formatSpan(tookMs),
    run.archive?.name ?? "-",
    stored
      .map(({ destination, verified, deliveredAt }) => {
        const marks = [verified, deliveredAt === undefined ? undefined : "later"].filter((mark) => mark !== undefined);
        return marks.length === 0 ? destination : `${destination} (${marks.join(", ")})`;
      })
      .join(", ") || "-",
    (run.error ?? "").replaceAll(/\s+/g, " ").slice(0, 160),
  ];
}
