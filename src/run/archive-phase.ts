import type { ArchiveResult } from "../contracts/archive.ts";
import type { Destination } from "../contracts/destination.ts";
import type { Job } from "../contracts/job.ts";
import type { ArchiveReport } from "../contracts/run.ts";
import type { RunContext } from "./context.ts";
import type { Recorder } from "./recorder.ts";
import type { History } from "../state/history.ts";
import { createArchive } from "../archive/write/create.ts";
import {
  BACKUP_COMPRESSION,
  BACKUP_COMPRESSION_LEVEL,
  BACKUP_EXCLUDE_GLOBS,
  BACKUP_EXCLUDE_REGEXP,
  BACKUP_HARDLINKS,
  BACKUP_SOURCES,
  GZIP_PARALLELISM,
} from "../archive/settings.ts";
import type { StagedArchive } from "../delivery/staged-archive.ts";
import { formatBytes, formatSpan } from "../lib/bytes.ts";
import { messageOf } from "../lib/errors.ts";
import { openRuntime } from "../state/runtime.ts";
import type { RunIndex } from "./index-phase.ts";
import { type ArchiveJudgement, judgeArchive } from "./judge-archive.ts";
import { createNoticeLog } from "./notices.ts";
import { createProgress } from "./progress.ts";
import { BACKUP_MIN_SIZE_PERCENT } from "./settings.ts";
import { spoolFolderOf } from "./spool.ts";
import { join } from "node:path";

export interface ArchivePhaseInput {
  readonly context: RunContext;
  readonly recorder: Recorder;
  readonly history: History;
  readonly destinations: readonly Destination[];
  readonly signal: AbortSignal;
  /** Gets a promise for each worker thread that is started: resolved when it is gone. */
  readonly workers: Promise<void>[];
  readonly index: RunIndex;
  /** The archive's final name. */
  readonly name: string;
  readonly staged: StagedArchive;
  /** The job's last good archive, if any. */
  readonly last: ArchiveReport | undefined;
  /** Whether the archive is made once more elsewhere after this failure. */
  mayRepeat(thrown: unknown): boolean;
}

export type ArchiveOutcome =
  | { readonly kind: "made"; readonly mayPrune: boolean }
  /** The folder can't take it, but something else may. */
  | { readonly kind: "repeat"; readonly error: unknown };

/** The archive's content is not worth storing, so it must not get its name anywhere. */
export class NotWorthStoring extends Error {}

/**
 * Makes the archive where nobody sees it yet, while deliveries read it. They hear that it is complete only once its
 * content was judged. Rejects with `NotWorthStoring`, with `NobodyReads`, or with what went wrong.
 */
export async function archivePhase(input: ArchivePhaseInput): Promise<ArchiveOutcome> {
  const { context, recorder, history, name } = input;
  const { job, log } = context;
  const began = context.clock.now();
  let judgement: ArchiveJudgement | undefined;
  const confirm = async (result: Promise<ArchiveResult>): Promise<void> => {
    const sizes = comparableSizes(history, job);
    const excludes = [BACKUP_EXCLUDE_REGEXP, BACKUP_EXCLUDE_GLOBS].map(({ key }) => key);
    const set = excludes.filter((key) => (job.raw[key] ?? "") !== "");
    judgement = judgeArchive(await result, sizes, job.values.get(BACKUP_MIN_SIZE_PERCENT), set);
    for (const text of judgement.notes) recorder.note(text);
    if (judgement.fatal !== undefined) throw new NotWorthStoring(judgement.fatal);
  };
  const made = await recorder.step(
    "archive",
    undefined,
    async () => {
      try {
        return await writeArchive(input, confirm);
      } catch (thrown) {
        if (input.mayRepeat(thrown)) return { error: thrown };
        throw thrown;
      }
    },
    (done) =>
      "error" in done
        ? { outcome: "skipped", detail: `made once more elsewhere: ${messageOf(done.error)}` }
        : { detail: `${formatBytes(done.bytesRead)} read, ${formatBytes(done.sizeBytes)} written` },
  );
  if ("error" in made) return { kind: "repeat", error: made.error };
  for (const text of judgement?.warnings ?? []) recorder.warn(text);
  const { sizeBytes, sha256, blocks, blocksSha256, compressor, counts, bytesRead, incomplete } = made;
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
  return { kind: "made", mayPrune: judgement?.mayPrune ?? false };
}

async function writeArchive(
  input: ArchivePhaseInput,
  confirm: (result: Promise<ArchiveResult>) => Promise<void>,
): Promise<ArchiveResult> {
  const { context, recorder, signal, staged } = input;
  const { job, log, clock, options } = context;
  const runtime = openRuntime({ stateDir: options.stateDir });
  const notices = createNoticeLog(log);
  const progress = createProgress({
    log,
    clock,
    expectedBytes: input.last?.bytesRead ?? 0,
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
    ownPaths: ownPaths(input),
    // Both a file and a window in memory take each chunk before the next is made.
    reuseChunks: true,
    signal,
    onProgress: (state) => progress.update(state),
    onNotice: (notice) => notices.add(notice),
    onBlock: input.index.begin(),
  });
  input.workers.push(stream.workerGone);
  // Where the disk fails first, the stream's own failure is only its echo.
  stream.result.catch(() => undefined);
  try {
    await staged.write(stream.bytes, signal, { result: stream.result, confirm: () => confirm(stream.result) });
    const result = await stream.result;
    const { counts, bytesRead, sizeBytes } = result;
    progress.complete({ files: counts.files, bytesRead, bytesWritten: sizeBytes });
    return result;
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
function ownPaths({ context, destinations }: ArchivePhaseInput): string[] {
  const { stateDir } = context.options;
  const state = STATE_FILES.map((name) => join(stateDir, name));
  const folders = destinations.flatMap((destination) => destination.folder ?? []);
  return [...state, context.options.lockFile, ...folders, spoolFolderOf(context.job, context.options)];
}

/** Enough to find five archives among runs that failed or were skipped. */
const RUNS_LOOKED_AT = 50;

const STATE_FILES = [
  "history.db",
  "history.db-wal",
  "history.db-shm",
  "outbox.db",
  "outbox.db-journal",
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
