import { randomBytes } from "node:crypto";
import { lookup } from "node:dns/promises";
import { connect, isIP } from "node:net";
import type { Destination, JobTag } from "../contracts/destination.ts";
import { bufferSource } from "../destinations/buffer-source.ts";
import { CONNECT_MS } from "../destinations/limits.ts";
import { orAborted } from "../lib/abortable.ts";
import { formatSpan } from "../lib/bytes.ts";
import { sleep } from "../lib/clock.ts";
import { DestinationError, messageOf, systemCode, UserError } from "../lib/errors.ts";

export type ProbeStepName = "resolve" | "connect" | "authenticate" | "write" | "read" | "list" | "remove";

export interface ProbeStep {
  readonly step: ProbeStepName;
  /** `note`: refused, which backups can do without. */
  readonly outcome: "ok" | "note" | "failed";
  readonly durationMs: number;
  /** What was found, or what went wrong. */
  readonly detail?: string;
  /** What to do about it. */
  readonly hint?: string;
}

export interface ProbeOptions {
  readonly owner: JobTag;
  readonly signal: AbortSignal;
  /** For tests. */
  readonly stepMs?: number;
}

const PROBE_BYTES = 4096;
/** One step, and all together. */
const STEP_MS = 60_000;
const PROBE_MS = 180_000;
const REMOVE_LAST_MS = 2_000;
/** How often, and how long in between, a store is asked that lists what it took only a little later. */
const LIST_TRIES = 3;
const LIST_PAUSE_MS = 1_000;

/**
 * Goes the whole way of a backup with a small object under a hidden name: resolve, connect, authenticate, write, read it
 * back, list, remove it. The steps that were made, in their order; the first failure is the last of them, though what was
 * written is removed all the same. Never rejects.
 */
export async function probeDestination(destination: Destination, options: ProbeOptions): Promise<readonly ProbeStep[]> {
  const steps: ProbeStep[] = [];
  const { owner } = options;
  const content = randomBytes(PROBE_BYTES);
  const name = `check-${owner.runId}-${randomBytes(4).toString("hex")}`;
  const bounded = { ...options, signal: AbortSignal.any([options.signal, AbortSignal.timeout(PROBE_MS)]) };

  /** Whether to go on. */
  const make = async (
    step: ProbeStepName,
    work: (signal: AbortSignal) => Promise<StepResult | void>,
  ): Promise<boolean> => {
    const result = await timed(step, work, bounded);
    steps.push(result);
    return result.outcome !== "failed";
  };

  const { addressSetting } = destination;
  if (destination.endpoint !== undefined) {
    // An address of version 6 stands in brackets in a URL, and only there.
    const endpoint = { ...destination.endpoint, host: destination.endpoint.host.replaceAll(/^\[|\]$/g, "") };
    const hint = addressSetting === undefined ? undefined : `check ${addressSetting}`;
    if (isIP(endpoint.host) === 0 && !(await make("resolve", () => resolve(endpoint.host, hint)))) return steps;
    if (!(await make("connect", (signal) => reach(endpoint, hint, signal)))) return steps;
  }
  if (!(await make("authenticate", (signal) => destination.connect(signal)))) return steps;
  const isWritten = await make("write", async (signal) => {
    await destination.put(name, bufferSource(content), { area: "record", owner, signal });
  });
  if (!isWritten) return steps;
  await make("read", (signal) => readBack(destination, name, content, signal));
  await make("list", (signal) => findListed(destination, name, signal));
  steps.push(await timed("remove", (signal) => destination.remove("record", name, signal), last(bounded)));
  return steps;
}

/** What was written is removed also when the check is being stopped. */
function last(options: ProbeOptions): ProbeOptions {
  return options.signal.aborted ? { ...options, signal: AbortSignal.timeout(REMOVE_LAST_MS) } : options;
}

interface StepResult {
  readonly outcome?: "note";
  readonly detail: string;
}

/** Without these a backup is still made: credentials that can only write are good practice. */
const DISPENSABLE: ReadonlySet<ProbeStepName> = new Set(["read", "list", "remove"]);
const LOST: Readonly<Partial<Record<ProbeStepName, string>>> = {
  read: "restoring and proving need other credentials",
  list: "lifeboat list, restore and retention need other credentials",
  remove: "retention needs other credentials, and this check left a small object behind",
};

async function timed(
  step: ProbeStepName,
  work: (signal: AbortSignal) => Promise<StepResult | void>,
  options: ProbeOptions,
): Promise<ProbeStep> {
  const limitMs = options.stepMs ?? (step === "resolve" || step === "connect" ? CONNECT_MS : STEP_MS);
  const limit = AbortSignal.timeout(limitMs);
  const signal = AbortSignal.any([options.signal, limit]);
  const startedAt = performance.now();
  const done = (rest: Omit<ProbeStep, "step" | "durationMs">): ProbeStep => ({
    step,
    durationMs: Math.round(performance.now() - startedAt),
    ...rest,
  });
  try {
    return done({ outcome: "ok", ...(await orAborted(work(signal), signal)) });
  } catch (error) {
    if (limit.aborted && !options.signal.aborted)
      return done({ outcome: "failed", detail: `no answer for ${formatSpan(limitMs)}` });
    const denied = error instanceof DestinationError && error.code === "denied" && DISPENSABLE.has(step);
    const hint = denied ? LOST[step] : error instanceof UserError ? error.hint : undefined;
    return done({
      outcome: denied ? "note" : "failed",
      detail: messageOf(error),
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

async function resolve(host: string, hint: string | undefined): Promise<StepResult> {
  try {
    const addresses = await lookup(host, { all: true });
    return { detail: addresses.map(({ address }) => address).join(", ") };
  } catch (error) {
    const code = systemCode(error);
    const why =
      code === "ENOTFOUND" ? "no such name" : code === "EAI_AGAIN" ? "no name server answers" : messageOf(error);
    throw new DestinationError("unavailable", `the name ${host} can't be resolved: ${why}`, hintOf(hint, error));
  }
}

async function reach(
  { host, port }: { readonly host: string; readonly port: number },
  hint: string | undefined,
  signal: AbortSignal,
): Promise<StepResult> {
  const socket = connect({ host, port, signal });
  try {
    await new Promise<void>((open, fail) => {
      socket.once("connect", () => open());
      socket.once("error", fail);
    });
    return { detail: `${socket.remoteAddress ?? host}:${port}` };
  } catch (error) {
    throw new DestinationError(
      "unavailable",
      `can't connect to ${host}:${port}: ${systemCode(error) === "ECONNREFUSED" ? "connection refused" : messageOf(error)}`,
      hintOf(hint, error),
    );
  } finally {
    socket.on("error", () => undefined).destroy();
  }
}

function hintOf(hint: string | undefined, cause: unknown): { hint?: string; cause: unknown } {
  return hint === undefined ? { cause } : { hint, cause };
}

async function readBack(
  destination: Destination,
  name: string,
  content: Buffer,
  signal: AbortSignal,
): Promise<StepResult | void> {
  const chunks: Buffer[] = [];
  for await (const chunk of await destination.get("record", name, undefined, signal)) chunks.push(Buffer.from(chunk));
  const read = Buffer.concat(chunks);
  if (read.equals(content)) return;
  throw new DestinationError(
    "unavailable",
    `the store gives back other bytes than it was given: ${read.byteLength} of ${content.byteLength}`,
    { hint: "something between here and the store changes what is sent: look for a proxy or a gateway" },
  );
}

async function findListed(destination: Destination, name: string, signal: AbortSignal): Promise<StepResult> {
  let archives = 0;
  for await (const _archive of destination.list("archive", signal)) archives += 1;
  const found = `${archives} ${archives === 1 ? "archive" : "archives"}`;
  for (let attempt = 1; ; attempt += 1) {
    for await (const object of destination.list("record", signal)) if (object.name === name) return { detail: found };
    if (attempt === LIST_TRIES) return { outcome: "note", detail: `${found}; what was just written is not listed yet` };
    await sleep(LIST_PAUSE_MS, signal);
  }
}
