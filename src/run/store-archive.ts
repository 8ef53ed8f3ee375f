import type { Destination } from "../contracts/destination.ts";
import type { DeliveryReport, RunReport } from "../contracts/run.ts";
import type { RunContext } from "./context.ts";
import type { Recorder } from "./recorder.ts";
import { formatArchiveName } from "../archive/names.ts";
import { BACKUP_FROM_SNAPSHOT } from "../archive/settings.ts";
import { NobodyReads } from "../delivery/memory-window.ts";
import { BACKUP_STAGING, SPOOL_MAX_BYTES } from "../delivery/settings.ts";
import { dropKept, keptBytes, keptName } from "../delivery/kept.ts";
import type { LocalFailure, StagedArchive } from "../delivery/staged-archive.ts";
import { openStage } from "../delivery/staging.ts";
import { DestinationError, messageOf, UserError } from "../lib/errors.ts";
import type { History } from "../state/history.ts";
import { archivePhase, NotWorthStoring } from "./archive-phase.ts";
import type { RunIndex } from "./index-phase.ts";
import { type Deliveries, deliverPhase, prunePhase, startDeliveries } from "./delivery-phases.ts";
import { namePatternOf } from "./name-pattern.ts";
import { nameTakenBy } from "./record-phase.ts";
import { prepareRemote } from "./remote-care.ts";
import { liesInMemory, spoolFolderOf } from "./spool.ts";
import { planStaging, windowBytes } from "./staging-plan.ts";

export interface StoreInput {
  readonly context: RunContext;
  readonly recorder: Recorder;
  readonly history: History;
  readonly destinations: readonly Destination[];
  readonly signal: AbortSignal;
  /** Gets a promise for each worker thread that is started: resolved when it is gone. */
  readonly workers: Promise<void>[];
  /** Earlier runs that were found dead: their records are put right at each destination. */
  readonly interrupted: readonly RunReport[];
  readonly index: RunIndex;
}

/**
 * Archive, deliveries and pruning. The deliveries begin with the archive and follow it; the run waits for both. Where a
 * folder turns out to be too small, the archive is made once more for the other destinations.
 */
export async function storeArchive(input: StoreInput): Promise<void> {
  const { context, destinations, signal } = input;
  if (destinations.length === 0) {
    throw new UserError("no destination is configured, so there is nowhere to keep an archive", {
      hint: "mount a folder at /archive (or set BACKUP_ARCHIVE), or configure a remote destination",
    });
  }
  const name = formatArchiveName(namePatternOf(context.job), context.firedAtMs);
  await refuseTakenName(input, name);
  // What still waited to be sent again is overtaken by this run, and its room may be needed.
  await dropKept(spoolFolderOf(context.job, context.options), input.history.runs({ job: context.job.name, limit: 50 }));
  noteSnapshot(input);
  let staged = await stage(input, name, undefined);
  for (let isRepeated = false; ; isRepeated = true) {
    const failure = await storeStaged(input, name, staged, isRepeated);
    if (failure === undefined) return;
    signal.throwIfAborted();
    context.log.warn(
      `${messageOf(failure.error)}; the archive is made once more for ${failure.local === undefined ? "its destinations" : "the other destinations"}`,
    );
    staged = await stage(input, name, failure);
  }
}

/** What a first try met: the local folder, or (`local` undefined) the spool, can't take the archive. */
interface StageFailure {
  readonly local: LocalFailure | undefined;
  readonly error: unknown;
}

/** Returns what made it fail where another place may do better. */
async function storeStaged(
  input: StoreInput,
  name: string,
  staged: StagedArchive,
  isRepeated: boolean,
): Promise<StageFailure | undefined> {
  const { context, recorder, history, destinations, signal } = input;
  const deliveries = startDeliveries({ ...input, name, staged, prepare: prepareRemote({ ...input, name }) });
  try {
    const last = history.lastGood(context.job.name)?.archive;
    const mayRepeat = (thrown: unknown): boolean =>
      !isRepeated && !signal.aborted && thrown instanceof DestinationError && hasOtherPlace(input, staged);
    const outcome = await archivePhase({ ...input, name, staged, last, mayRepeat });
    if (outcome.kind === "repeat") {
      await end(deliveries);
      const { error } = outcome;
      return { error, local: staged.local === undefined ? undefined : { destination: staged.local, error } };
    }
    const reports = await deliverOrKeep(input, deliveries, staged);
    await input.index.store(recorder, destinations, signal);
    if (outcome.mayPrune) await prunePhase({ ...input, name, deliveries: reports });
    return undefined;
  } catch (thrown) {
    if (thrown instanceof NobodyReads && !signal.aborted) {
      recorder.delivered(await deliveries.ended);
      return undefined;
    }
    await end(deliveries);
    if (!(thrown instanceof NotWorthStoring)) throw thrown;
    recorder.fail(thrown.message);
    return undefined;
  } finally {
    await staged.discard();
  }
}

async function deliverOrKeep(
  input: StoreInput,
  deliveries: Deliveries,
  staged: StagedArchive,
): Promise<readonly DeliveryReport[]> {
  try {
    return await deliverPhase(deliveries, input);
  } finally {
    await keepForLater(input, staged);
  }
}

/** Where a destination did not take the archive, it waits in the spool; nothing is needed where the local folder has it. */
async function keepForLater({ context, recorder }: StoreInput, staged: StagedArchive): Promise<void> {
  const { archive, deliveries } = recorder.report();
  const isMissing = deliveries.some(({ status }) => status === "failed");
  if (!isMissing || archive === undefined || staged.keep === undefined) return;
  const { job, log, options } = context;
  try {
    const maxBytes = job.values.get(SPOOL_MAX_BYTES);
    const usedBytes = await keptBytes(spoolFolderOf(job, options));
    if (usedBytes + archive.sizeBytes > maxBytes) {
      if (maxBytes > 0) log.warn("the archive is not kept to be sent again: SPOOL_MAX_BYTES is too small for it");
      return;
    }
    await staged.keep(keptName(recorder.id));
    log.info("the archive is kept in the spool, to be sent again until the next run");
  } catch (thrown) {
    log.warn(`the archive could not be kept to be sent again: ${messageOf(thrown)}`);
  }
}

async function end(deliveries: Deliveries): Promise<void> {
  deliveries.stop();
  await deliveries.ended;
}

function planOf({ context, destinations }: StoreInput): ReturnType<typeof planStaging> {
  const { values } = context.job;
  const keepsFailed = values.isSet(SPOOL_MAX_BYTES) && values.get(SPOOL_MAX_BYTES) > 0;
  const spoolIsOnDisk = !liesInMemory(spoolFolderOf(context.job, context.options));
  return planStaging({ wanted: values.get(BACKUP_STAGING), destinations, keepsFailed, spoolIsOnDisk });
}

function hasOtherPlace(input: StoreInput, { place }: StagedArchive): boolean {
  const plan = planOf(input);
  return place === "local" ? plan.inSpool || plan.inMemory : place === "spool" && plan.inMemory;
}

async function stage(input: StoreInput, name: string, failure: StageFailure | undefined): Promise<StagedArchive> {
  const { context, recorder, history, signal } = input;
  const { job, log, options, host } = context;
  const plan = planOf(input);
  const spoolFailed = failure !== undefined && failure.local === undefined;
  return await openStage({
    name,
    owner: { host, job: job.name, runId: recorder.id },
    local: failure === undefined ? plan.local : undefined,
    ...(failure?.local === undefined ? {} : { localFailure: failure.local }),
    spoolFolder: plan.inSpool && !spoolFailed ? spoolFolderOf(job, options) : undefined,
    windowBytes: plan.inMemory ? windowBytes() : undefined,
    neededBytes: history.lastGood(job.name)?.archive?.sizeBytes ?? 0,
    signal,
    onNote: (text) => log.warn(text),
  });
}

async function refuseTakenName({ context, destinations, signal }: StoreInput, name: string): Promise<void> {
  const { job } = context;
  const locals = destinations.filter((destination) => destination.kind === "local");
  for (const destination of locals) {
    const otherJob = await nameTakenBy(destination, name, job.name, signal);
    if (otherJob === undefined) continue;
    throw new UserError(`the archive name ${name} belongs to the job ${otherJob}`, {
      hint: "give each job its own BACKUP_FILENAME or its own folder; if this job had that name before, move the archive away",
    });
  }
}

function noteSnapshot({ context, recorder }: StoreInput): void {
  if (!context.job.values.get(BACKUP_FROM_SNAPSHOT)) return;
  const text = "BACKUP_FROM_SNAPSHOT is not needed: files that change during the run are handled without a copy";
  recorder.note(text);
  context.log.info(text);
}
