import type { RunReport } from "../contracts/run.ts";

/** How much of a list a record keeps where the whole report would be too large. */
const SHORT_LIST = 100;
const SHORT_TEXT = 300;

/**
 * What of a report is left beside the archives: counts and outcomes. Anybody with access to the store can read it, so
 * paths below a source's first folder are cut from its texts, and the process id of an ended run is left out.
 */
export function toRecord(report: RunReport, largestBytes: number): RunReport {
  const { pid, ...rest } = report;
  const record: RunReport = {
    ...rest,
    ...(report.status === "running" && pid !== undefined ? { pid } : {}),
    steps: report.steps.map((step) =>
      step.detail === undefined ? step : { ...step, detail: withoutPaths(step.detail) },
    ),
    deliveries: report.deliveries.map((delivery) =>
      delivery.error === undefined ? delivery : { ...delivery, error: withoutPaths(delivery.error) },
    ),
    prunes: report.prunes.map((prune) =>
      prune.error === undefined ? prune : { ...prune, error: withoutPaths(prune.error) },
    ),
    warnings: report.warnings.map((warning) => ({ ...warning, text: withoutPaths(warning.text) })),
    ...(report.error === undefined ? {} : { error: withoutPaths(report.error) }),
  };
  return Buffer.byteLength(JSON.stringify(record)) < largestBytes ? record : shortened(record);
}

/** `cannot read /backup/html/a.txt` -> `cannot read /backup/…`. Addresses (`https://host/path`) are left alone. */
export function withoutPaths(text: string): string {
  return text.replaceAll(/(?<![\w/:.-])(\/[^\s/"'`,;:()]+)\/[^\s"'`,;:()]+/g, "$1/…");
}

function shortened(record: RunReport): RunReport {
  return {
    ...record,
    steps: record.steps
      .slice(0, SHORT_LIST)
      .map((step) => (step.detail === undefined ? step : { ...step, detail: cut(step.detail) })),
    deliveries: record.deliveries
      .slice(0, SHORT_LIST)
      .map((delivery) => (delivery.error === undefined ? delivery : { ...delivery, error: cut(delivery.error) })),
    prunes: record.prunes.slice(0, SHORT_LIST).map((prune) => ({
      ...prune,
      removed: prune.removed.slice(0, SHORT_LIST),
      ...(prune.error === undefined ? {} : { error: cut(prune.error) }),
    })),
    warnings: record.warnings.slice(0, SHORT_LIST).map((warning) => ({ ...warning, text: cut(warning.text) })),
    ...(record.error === undefined ? {} : { error: cut(record.error) }),
  };
}

function cut(text: string): string {
  return text.length > SHORT_TEXT ? `${text.slice(0, SHORT_TEXT)}…` : text;
}
