import type { RunReport } from "../contracts/run.ts";

/**
 * What the records at a destination say of each archive there, by its name. The newest run that stored it here speaks for it:
 * where a later run gave the same name and its delivery failed, the archive is still the earlier run's. Where no record
 * says that it was stored, the newest one that names it.
 * @param label of the destination
 */
export function recordsByArchive(newestFirst: readonly RunReport[], label: string): ReadonlyMap<string, RunReport> {
  const byName = new Map<string, RunReport>();
  const failed = new Map<string, RunReport>();
  for (const record of newestFirst) {
    const name = record.archive?.name;
    if (name === undefined) continue;
    const found = wasStored(record, label) ? byName : failed;
    if (!found.has(name)) found.set(name, record);
  }
  for (const [name, record] of failed) if (!byName.has(name)) byName.set(name, record);
  return byName;
}

/** A folder has another label for another sidecar, or after its setting was changed; then any delivery counts. */
function wasStored({ deliveries }: RunReport, label: string): boolean {
  const here = deliveries.filter(({ destination }) => destination === label);
  return (here.length > 0 ? here : deliveries).some(({ status }) => status === "stored");
}
