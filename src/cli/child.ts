import { writeSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import type { ChildTask, RunAnswer } from "../contracts/task.ts";
import { plainSettings } from "../config/parts.ts";
import { deserializeJob, secretsOf } from "../config/serialize.ts";
import { systemClock } from "../lib/clock.ts";
import { systemCode } from "../lib/errors.ts";
import { Interruption } from "../lib/interruption.ts";
import { createLogTail } from "../lib/log-tail.ts";
import { createLog } from "../lib/log.ts";
import { createRedactor } from "../lib/redact.ts";
import { VERSION } from "../version.ts";
import { EXIT_BY_KILL } from "./exit-codes.ts";
import { surviveStrayFailures } from "./stray-failures.ts";

const ANSWER_FD = 3;
const EXIT_FAILED = 1;

/**
 * One task of the daemon, given as a line of JSON on standard input. When that input ends, the daemon is gone and the
 * task is interrupted.
 */
export async function child(): Promise<number> {
  sacrificeFirst();
  const controller = new AbortController();
  const stop = (why: string) => (): void => controller.abort(new Interruption("signal", why));
  process.on("SIGTERM", stop("stopped by SIGTERM"));
  process.on("SIGINT", stop("stopped by SIGINT"));
  // For the daemon, which a terminal asks as well.
  process.on("SIGHUP", () => undefined);
  const line = await firstLine(stop("the daemon is gone"));
  if (line === undefined) return EXIT_FAILED;
  const task = JSON.parse(line) as ChildTask;
  return perform(task, controller.signal);
}

async function perform(task: ChildTask, signal: AbortSignal): Promise<number> {
  const { logFormat, logLevel } = task.options;
  const jobs = (task.kind === "run" ? [task.job] : task.jobs).map(deserializeJob);
  const redact = createRedactor(jobs.flatMap((job) => [...secretsOf(job)]));
  const logTail = createLogTail();
  const log = createLog({ format: logFormat, level: logLevel, redact, onLine: logTail.add });
  surviveStrayFailures(log);
  const common = {
    options: task.options,
    host: hostname(),
    version: VERSION,
    clock: systemClock,
    redact,
    signal,
    settings: plainSettings(),
  };
  switch (task.kind) {
    case "run": {
      const [job] = jobs;
      if (job === undefined) return EXIT_FAILED;
      const { runJob } = await import("../run/run.ts");
      const { exitCodeOf } = await import("../run/status.ts");
      const { waitingRun } = await import("../run/later-delivery.ts");
      const { tendAfterRun } = await import("../run/tend.ts");
      const { report, locked, isStuck } = await runJob({
        ...common,
        job,
        log: log.with({ job: job.name }),
        logTail,
        trigger: task.trigger,
        firedAtMs: task.firedAtMs,
        terminal: undefined,
        alreadySaid: new Set(task.alreadySaid),
      });
      const tendAtMs = await tendAfterRun(job, report, { ...common, log });
      const pending = waitingRun([report]) !== undefined;
      answer({ recorded: true, pending, ...(tendAtMs === undefined ? {} : { tendAtMs }) } satisfies RunAnswer);
      if (isStuck) return EXIT_BY_KILL;
      return exitCodeOf(report.status === "running" ? "failed" : report.status, locked);
    }
    case "heal": {
      const { heal } = await import("../run/heal.ts");
      answer(await heal({ ...common, jobs, log }));
      return 0;
    }
    case "tend": {
      const { tend } = await import("../run/tend.ts");
      answer(await tend(jobs, task.alerted, { ...common, log }));
      return 0;
    }
    case "retry": {
      const { deliverLater } = await import("../run/later-phase.ts");
      answer(await deliverLater({ ...common, jobs, log }));
      return 0;
    }
    case "connect": {
      const { checkConnections } = await import("../run/connect-check.ts");
      await checkConnections({ ...common, jobs, log });
      return 0;
    }
    case "note": {
      const { noteAndTell } = await import("../run/tell-runs.ts");
      await noteAndTell(task, jobs, { ...common, log });
      return 0;
    }
  }
}

function answer(value: unknown): void {
  const bytes = Buffer.from(JSON.stringify(value));
  let at = 0;
  try {
    while (at < bytes.length) at += writeSync(ANSWER_FD, bytes, at);
  } catch (thrown) {
    // The daemon is gone, and nobody waits for the answer any more.
    if (systemCode(thrown) !== "EPIPE") throw thrown;
  }
}

/** When memory runs out, the kernel shall take this process and not the daemon. Raising the score needs no privilege. */
function sacrificeFirst(): void {
  try {
    writeFileSync("/proc/self/oom_score_adj", "500");
  } catch {
    // No such file outside Linux, or not permitted: then the kernel chooses by itself.
  }
}

async function firstLine(onEnd: () => void): Promise<string | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let done = false;
    process.stdin.on("data", (chunk: Buffer) => {
      if (done) return;
      chunks.push(chunk);
      if (!chunk.includes(0x0a)) return;
      done = true;
      const text = Buffer.concat(chunks).toString("utf8");
      resolve(text.slice(0, text.indexOf("\n")));
    });
    const end = (): void => {
      onEnd();
      resolve(undefined);
    };
    process.stdin.on("end", end);
    process.stdin.on("error", end);
  });
}
