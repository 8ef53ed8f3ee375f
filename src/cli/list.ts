import type { DeliveryReport } from "../contracts/run.ts";
import { formatBytes } from "../lib/bytes.ts";
import { isoTime, localIso } from "../lib/iso-time.ts";
import { withArchives, type FoundArchive } from "./archives.ts";
import type { Command } from "./command.ts";
import { table } from "./output.ts";
import { chooseJobs, loadForCommand } from "./setup.ts";

const EXIT_FAILED = 1;
const EXIT_BAD_CONFIG = 5;

export const listCommand: Command = {
  usage: "list [job…] [--json]",
  summary: "the archives at the destinations",
  help: `Lists the archives that the destinations hold, the newest first, with the status of the run that made each
("-": no record of it is left), and where its copies are; after each place stands what was compared before the delivery
counted (sha256, md5, crc or size). A destination that can't be listed is named, and the exit code is 1; so is a job whose
configuration has errors, and the exit code is 5.

  --json   an array of objects, one for each copy`,
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
          setup.redact(table(["ARCHIVE", "SIZE", "STORED", "JOB", "STATUS", "AT"], merged(archives).map(row), [1])),
        );
      for (const text of unreachable) context.output.remark(`not listed: ${setup.redact(text)}`);
      if (chooseJobs(setup.loaded, args.positionals).broken.length > 0) return EXIT_BAD_CONFIG;
      return unreachable.length > 0 ? EXIT_FAILED : 0;
    });
  },
};

/** One archive with all its copies; a copy that differs in size stands for itself. */
function merged(archives: readonly FoundArchive[]): readonly (readonly FoundArchive[])[] {
  const groups = new Map<string, FoundArchive[]>();
  for (const archive of archives) {
    const { object, owner, record } = archive;
    const key = JSON.stringify([object.name, owner, object.sizeBytes, statusOf(object.sizeBytes, record)]);
    groups.set(key, [...(groups.get(key) ?? []), archive]);
  }
  return [...groups.values()];
}

function row(copies: readonly FoundArchive[]): string[] {
  const [first] = copies;
  if (first === undefined) return [];
  const { object, owner, record } = first;
  return [
    object.name,
    formatBytes(object.sizeBytes),
    localIso(object.storedAt),
    owner,
    statusOf(object.sizeBytes, record),
    copies.map(whereOf).join(", "),
  ];
}

/** With what was compared when it was stored there, as far as a record tells. */
function whereOf({ destination, record }: FoundArchive): string {
  const verified = deliveryTo(destination.label, record)?.verified;
  return verified === undefined ? destination.label : `${destination.label} (${verified})`;
}

function deliveryTo(label: string, record: FoundArchive["record"]): DeliveryReport | undefined {
  return record?.deliveries.find(({ destination }) => destination === label);
}

/** A size that differs from the record's is worth more than the record's word. */
function statusOf(sizeBytes: number, record: FoundArchive["record"]): string {
  if (record === undefined) return "-";
  if (record.archive !== undefined && record.archive.sizeBytes !== sizeBytes) return "damaged (size differs)";
  return record.status;
}

function asJson({ object, owner, record, destination }: FoundArchive): unknown {
  return {
    name: object.name,
    job: owner,
    destination: destination.label,
    kind: destination.kind,
    sizeBytes: object.sizeBytes,
    storedAt: isoTime(object.storedAt),
    status: record === undefined ? null : statusOf(object.sizeBytes, record),
    run: record?.id ?? null,
    sha256: record?.archive?.sha256 ?? null,
    files: record?.archive?.counts.files ?? null,
    verified: deliveryTo(destination.label, record)?.verified ?? null,
  };
}
