import type { ArchiveResult } from "../contracts/archive.ts";
import type { Destination } from "../contracts/destination.ts";
import type { Job } from "../contracts/job.ts";
import type { RunContext } from "./context.ts";
import type { Recorder } from "./recorder.ts";
import type { History } from "../state/history.ts";
import { createArchive } from "../archive/write/create.ts";
import { formatArchiveName } from "../archive/names.ts";
import {
  BACKUP_COMPRESSION,
  BACKUP_COMPRESSION_LEVEL,
  BACKUP_EXCLUDE_GLOBS,
  BACKUP_EXCLUDE_REGEXP,
  BACKUP_FROM_SNAPSHOT,
  BACKUP_HARDLINKS,
  BACKUP_SOURCES,
  GZIP_PARALLELISM,
} from "../archive/settings.ts";
import { openStage, type StagedArchive } from "../delivery/staging.ts";
import { formatBytes, formatSpan } from "../lib/bytes.ts";
import { UserError } from "../lib/errors.ts";
import { openRuntime } from "../state/runtime.ts";
import { judgeArchive } from "./judge-archive.ts";
import { namePatternOf } from "./name-pattern.ts";
import type { RunIndex } from "./index-phase.ts";
import { createNoticeLog } from "./notices.ts";
import { createProgress } from "./progress.ts";
import { nameTakenBy } from "./record-phase.ts";
import { BACKUP_MIN_SIZE_PERCENT } from "./settings.ts";
import { spoolFolderOf } from "./spool.ts";
import { dirname, join } from "node:path";

export interface MadeArchive {
  readonly name: string;
  readonly staged: StagedArchive;
  readonly mayPrune: boolean;
}

export interface ArchivePhaseInput {
  readonly context: RunContext;
  readonly recorder: Recorder;
  readonly history: History;
  readonly destinations: readonly Destination[];
  readonly signal: AbortSignal;
  /** Gets a promise for each worker thread that is started: resolved when it is gone. */
  readonly workers: Promise<void>[];
  readonly index: RunIndex;
}

/** Makes the archive where nobody sees it yet. Undefined where its content is not worth storing: the recorder knows why. */
export async function archivePhase(input: ArchivePhaseInput): Promise<MadeArchive | undefined> {
  const { context, recorder, history, destinations, signal } = input;
  const { job, log } = context;
  const name = formatArchiveName(namePatternOf(job), context.firedAtMs);
  const otherJob = await nameTakenBy(destinations, name, job.name, signal);
  if (otherJob !== undefined) {
    throw new UserError(`the archive name ${name} belongs to the job ${otherJob}`, {
      hint: "give each job its own BACKUP_FILENAME or its own folder",
    });
  }
  if (job.values.get(BACKUP_FROM_SNAPSHOT)) {
    const text = "BACKUP_FROM_SNAPSHOT is not needed: files that change during the run are handled without a copy";
    recorder.note(text);
    log.info(text);
  }
  const last = history.lastGood(job.name)?.archive;
  const local = destinations.find((destination) => destination.kind === "local");
  const staged = await openStage({
    name,
    owner: { host: context.host, job: job.name, runId: recorder.id },
    local,
    spoolFolder: destinations.some((destination) => destination !== local)
      ? spoolFolderOf(job, context.options)
      : undefined,
    neededBytes: last?.sizeBytes ?? 0,
    signal,
    onNote: (text) => log.warn(text),
  });
  try {
    const began = context.clock.now();
    const result = await recorder.step(
      "archive",
      undefined,
      () => writeArchive(input, staged, last?.bytesRead ?? 0),
      (made) => ({ detail: `${formatBytes(made.bytesRead)} read, ${formatBytes(made.sizeBytes)} written` }),
    );
    const judgement = judgeArchive(result, comparableSizes(history, job), job.values.get(BACKUP_MIN_SIZE_PERCENT));
    for (const text of judgement.notes) recorder.note(text);
    if (judgement.fatal !== undefined) {
      recorder.fail(judgement.fatal);
      await staged.discard();
      return undefined;
    }
    for (const text of judgement.warnings) recorder.warn(text);
    const { sizeBytes, sha256, blocks, blocksSha256, compressor, counts, bytesRead, incomplete } = result;
    const compression = compressionOf(job.values.get(BACKUP_COMPRESSION));
    const size = { sizeBytes, sha256, blocks, blocksSha256 };
    recorder.archived({ name, ...size, compression, compressor, counts, bytesRead, incomplete });
    log.info("archive complete", {
      archive: name,
      size: formatBytes(sizeBytes),
      read: formatBytes(bytesRead),
      files: counts.files,
      took: formatSpan(context.clock.now() - began),
    });
    return { name, staged, mayPrune: judgement.mayPrune };
  } catch (thrown) {
    await staged.discard();
    throw thrown;
  }
}

async function writeArchive(
  input: ArchivePhaseInput,
  staged: StagedArchive,
  expectedBytes: number,
): Promise<ArchiveResult> {
  const { context, recorder, signal } = input;
  const { job, log, clock, options } = context;
  const runtime = openRuntime({ stateDir: options.stateDir });
  const notices = createNoticeLog(log);
  const progress = createProgress({
    log,
    clock,
    expectedBytes,
    terminal: context.terminal,
    save: (state) => void runtime.writeProgress({ job: job.name, runId: recorder.id, ...state }),
  });
  progress.phase("archive");
  const stream = createArchive({
    sources: job.values.get(BACKUP_SOURCES),
    compression: compressionOf(job.values.get(BACKUP_COMPRESSION)),
    level: levelOf(job.values.get(BACKUP_COMPRESSION_LEVEL)),
    parallelism: job.values.get(GZIP_PARALLELISM),
    hardlinks: job.values.get(BACKUP_HARDLINKS) === "link" ? "link" : "copy",
    excludeRegexp: job.values.get(BACKUP_EXCLUDE_REGEXP),
    excludeGlobs: job.values.get(BACKUP_EXCLUDE_GLOBS) ?? [],
    ownPaths: ownPaths(input, staged),
    signal,
    onProgress: (state) => progress.update(state),
    onNotice: (notice) => notices.add(notice),
    onBlock: input.index.begin(),
  });
  input.workers.push(stream.workerGone);
  // Where the disk fails first, the stream's own failure is only its echo.
  stream.result.catch(() => undefined);
  try {
    await staged.write(stream.bytes, signal, { result: stream.result });
    return await stream.result;
  } finally {
    notices.end();
    progress.end();
  }
}

/** Sizes of the job's last archives, newest first; another compression gives another size for the same files. */
function comparableSizes(history: History, job: Job): number[] {
  const compression = job.values.get(BACKUP_COMPRESSION);
  return history
    .runs({ job: job.name, limit: RUNS_LOOKED_AT })
    .filter((run) => run.status === "success" || run.status === "partial")
    .flatMap(({ archive }) => (archive?.compression === compression ? [archive.sizeBytes] : []));
}

/** What this run writes. Of the state folder only our files: it may be a folder that the user backs up. */
function ownPaths({ context, destinations }: ArchivePhaseInput, staged: StagedArchive): string[] {
  const { stateDir } = context.options;
  const state = STATE_FILES.map((name) => join(stateDir, name));
  const folders = destinations.flatMap((destination) => destination.folder ?? []);
  return [...state, context.options.lockFile, ...folders, ...(staged.place === "spool" ? [dirname(staged.path)] : [])];
}

/** Enough to find five archives among runs that failed or were skipped. */
const RUNS_LOOKED_AT = 50;

const STATE_FILES = [
  "history.db",
  "history.db-wal",
  "history.db-shm",
  "heartbeat",
  "progress.json",
  "daemon.json",
  "spool",
];

function compressionOf(value: string): "gz" | "zst" | "none" {
  return value === "zst" || value === "none" ? value : "gz";
}

function levelOf(value: string): "fast" | "default" | "best" {
  return value === "fast" || value === "best" ? value : "default";
}
