import { formatBytes } from "../lib/bytes.ts";
import { isoTime, localIso } from "../lib/iso-time.ts";
import { withArchives, type FoundArchive } from "./archives.ts";
import type { Command } from "./command.ts";
import { table } from "./output.ts";
import { loadForCommand } from "./setup.ts";

const EXIT_FAILED = 1;

export const listCommand: Command = {
  usage: "list [job…] [--json]",
  summary: "the archives at the destinations",
  help: `Lists the archives that the destinations hold, the newest first, with the status of the run that made each
("-": no record of it is left). A destination that can't be listed is named, and the exit code is 1.

  --json   an array of objects`,
  options: { json: { type: "boolean" } },
  positionals: { min: 0, max: 100 },
  async run(args, context) {
    const setup = await loadForCommand(context, { logToStderr: true });
    return withArchives(setup, { jobs: args.positionals }, context.signal, async (archives, unreachable) => {
      if (args.flag("json")) context.output.print(JSON.stringify(archives.map(asJson), undefined, 2));
      else if (archives.length === 0) {
        if (unreachable.length === 0) context.output.print("no archives yet");
      } else
        context.output.print(
          setup.redact(table(["ARCHIVE", "SIZE", "STORED", "JOB", "STATUS", "AT"], archives.map(row), [1])),
        );
      for (const text of unreachable) context.output.remark(`not listed: ${setup.redact(text)}`);
      return unreachable.length > 0 ? EXIT_FAILED : 0;
    });
  },
};

function row({ object, job, record, destination }: FoundArchive): string[] {
  return [
    object.name,
    formatBytes(object.sizeBytes),
    localIso(object.storedAt),
    job.name,
    statusOf(object.sizeBytes, record),
    destination.label,
  ];
}

/** A size that differs from the record's is worth more than the record's word. */
function statusOf(sizeBytes: number, record: FoundArchive["record"]): string {
  if (record === undefined) return "-";
  if (record.archive !== undefined && record.archive.sizeBytes !== sizeBytes) return "damaged (size differs)";
  return record.status;
}

function asJson({ object, job, record, destination }: FoundArchive): unknown {
  return {
    name: object.name,
    job: job.name,
    destination: destination.label,
    kind: destination.kind,
    sizeBytes: object.sizeBytes,
    storedAt: isoTime(object.storedAt),
    status: record === undefined ? null : statusOf(object.sizeBytes, record),
    run: record?.id ?? null,
    sha256: record?.archive?.sha256 ?? null,
    files: record?.archive?.counts.files ?? null,
    verified: record?.deliveries.find((delivery) => delivery.destination === destination.label)?.verified ?? null,
  };
}
