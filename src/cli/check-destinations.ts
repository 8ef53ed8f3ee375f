import { statfsSync } from "node:fs";
import { hostname } from "node:os";
import type { Destination } from "../contracts/destination.ts";
import type { Job } from "../contracts/job.ts";
import { probeDestination, type ProbeStep } from "../delivery/probe.ts";
import { formatBytes, formatSpan } from "../lib/bytes.ts";
import { messageOf } from "../lib/errors.ts";
import { newRunId } from "../lib/run-id.ts";
import { closeAll } from "../run/delivery-phases.ts";
import { openJobDestinations } from "../run/job-destinations.ts";
import type { Setup } from "./setup.ts";

export interface DestinationFinding {
  readonly level: "ok" | "note" | "warning" | "error";
  readonly job: string;
  readonly about: "destination";
  readonly text: string;
  readonly destination?: string;
  readonly kind?: Destination["kind"];
  readonly steps?: readonly ProbeStep[];
}

/** Probes all destinations of a job at the same time, each from end to end. */
export async function checkDestinations(job: Job, setup: Setup, signal: AbortSignal): Promise<DestinationFinding[]> {
  const base = { job: job.name, about: "destination" } as const;
  let destinations: readonly Destination[];
  try {
    destinations = await openJobDestinations(job, setup.options.stateDir, (text) => setup.log.warn(text));
  } catch (thrown) {
    return [{ ...base, level: "error", text: messageOf(thrown) }];
  }
  if (destinations.length === 0)
    return [{ ...base, level: "error", text: "no destination is configured, so a run would fail" }];
  const owner = { host: hostname(), job: job.name, runId: newRunId(Date.now()) };
  const found = await Promise.all(
    destinations.map(async (destination) => {
      const steps = await probeDestination(destination, { owner, signal });
      return findingsOf(destination, steps).map((finding) => ({
        ...base,
        ...finding,
        destination: destination.label,
        kind: destination.kind,
      }));
    }),
  );
  await closeAll(destinations, setup.log);
  return found.flat();
}

/** One line for the whole, and one for each step that was refused and is dispensable. */
export function findingsOf(
  destination: Pick<Destination, "label" | "folder">,
  steps: readonly ProbeStep[],
): Pick<DestinationFinding, "level" | "text" | "steps">[] {
  const { label, folder } = destination;
  const failed = steps.filter(({ outcome }) => outcome === "failed");
  const times = steps.map(({ step, durationMs }) => `${step} ${formatSpan(durationMs)}`).join(", ");
  const listed = steps.find(({ step, outcome }) => step === "list" && outcome === "ok")?.detail;
  const found = [listed, folder === undefined ? undefined : freeSpace(folder)].filter((text) => text !== undefined);
  const main =
    failed.length > 0
      ? `${label}: ${failed.map((step) => `${step.step} failed: ${explain(step)}`).join("; ")} (${times})`
      : `${label}: ${[...found, times].join(", ")}`;
  const notes = steps
    .filter(({ outcome }) => outcome === "note")
    .map((step) => ({ level: "note" as const, text: `${label}: ${step.step}: ${explain(step)}` }));
  return [{ level: failed.length > 0 ? "error" : "ok", text: main, steps }, ...notes];
}

function explain({ detail = "", hint }: ProbeStep): string {
  return hint === undefined ? detail : `${detail} (${hint})`;
}

function freeSpace(folder: string): string | undefined {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return `${formatBytes(bavail * bsize)} free`;
  } catch {
    // The steps tell what is wrong with the folder.
    return undefined;
  }
}
