import type { ArchiveProgress } from "../contracts/archive.ts";
import type { Log } from "../contracts/log.ts";
import type { Clock } from "../lib/clock.ts";
import { formatBytes, formatSpan } from "../lib/bytes.ts";
import type { RunProgress } from "../state/runtime.ts";

/** How far a run is; which run it is, its caller knows. */
export type ProgressState = Omit<RunProgress, "job" | "runId">;

export interface ProgressReporter {
  phase(name: string): void;
  update(progress: ArchiveProgress): void;
  /** The archive is made, with these totals; what follows is its delivery. */
  complete(totals: Omit<ArchiveProgress, "current">): void;
  /** Clears the bar; nothing is shown afterwards. */
  end(): void;
}

export interface ProgressOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly expectedBytes: number;
  /** Where a bar is drawn; undefined where standard error is no terminal. */
  readonly terminal: { write(text: string): unknown; readonly columns?: number } | undefined;
  /** Keeps the state where other processes look for it; at most once a second. */
  save(state: ProgressState): void;
}

const LINE_EVERY_MS = 30_000;
const SAVE_EVERY_MS = 1_000;
const DRAW_EVERY_MS = 200;

/** A bar with rate and remaining time on a terminal, a line every 30 s elsewhere. */
export function createProgress(options: ProgressOptions): ProgressReporter {
  const { clock, terminal } = options;
  const startedAtMs = clock.now();
  let phase = "starting";
  let last: ArchiveProgress = { files: 0, bytesRead: 0, bytesWritten: 0, current: "" };
  let shownAtMs = startedAtMs;
  let savedAtMs = 0;
  let drawn = false;
  let ended = false;

  const state = (): ProgressState => ({
    phase,
    files: last.files,
    bytesRead: last.bytesRead,
    bytesWritten: last.bytesWritten,
    expectedBytes: options.expectedBytes,
    startedAtMs,
  });
  const save = (now: number): void => {
    savedAtMs = now;
    options.save(state());
  };

  return {
    phase(name) {
      phase = name;
      save(clock.now());
    },
    update(progress) {
      if (ended) return;
      last = progress;
      const now = clock.now();
      if (now - savedAtMs >= SAVE_EVERY_MS) save(now);
      if (terminal !== undefined && now - shownAtMs >= DRAW_EVERY_MS) {
        shownAtMs = now;
        drawn = true;
        terminal.write(`\r\u001b[K${progressBar(state(), now, terminal.columns || 80)}`);
      } else if (terminal === undefined && now - shownAtMs >= LINE_EVERY_MS) {
        shownAtMs = now;
        options.log.info(`${phase}: ${progressText(state(), now)}`);
      }
    },
    complete(totals) {
      last = { ...totals, current: "" };
      phase = "deliver";
      save(clock.now());
    },
    end() {
      ended = true;
      if (drawn) terminal?.write("\r\u001b[K");
    },
  };
}

/** `1,204 files, 310 MB of about 1.2 GB, 52 MB/s, about 17s left` */
export function progressText(state: ProgressState, nowMs: number): string {
  const seconds = Math.max(0.001, (nowMs - state.startedAtMs) / 1000);
  const rate = state.bytesRead / seconds;
  const parts = [`${state.files.toLocaleString("en-US")} files`];
  const known = state.expectedBytes > state.bytesRead;
  parts.push(
    known
      ? `${formatBytes(state.bytesRead)} of about ${formatBytes(state.expectedBytes)}`
      : formatBytes(state.bytesRead),
  );
  parts.push(`${formatBytes(rate)}/s`);
  if (known && rate > 0)
    parts.push(`about ${formatSpan(((state.expectedBytes - state.bytesRead) / rate) * 1000)} left`);
  return parts.join(", ");
}

/** One line that fits `columns`. */
export function progressBar(state: ProgressState, nowMs: number, columns: number): string {
  const text = progressText(state, nowMs);
  const width = Math.min(30, columns - text.length - 4);
  if (width < 5 || state.expectedBytes <= 0) return text.slice(0, Math.max(1, columns - 1));
  const filled = Math.round(Math.min(1, state.bytesRead / state.expectedBytes) * width);
  return `${"#".repeat(filled)}${"-".repeat(width - filled)}  ${text}`;
}
