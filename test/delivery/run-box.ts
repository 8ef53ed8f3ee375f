import { createLogTail } from "../../src/lib/log-tail.ts";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../src/config/load.ts";
import type { Destination, PutOptions } from "../../src/contracts/destination.ts";
import type { ArchiveSource } from "../../src/contracts/archive.ts";
import type { Job } from "../../src/contracts/job.ts";
import type { Log } from "../../src/contracts/log.ts";
import { createLocalDestination } from "../../src/destinations/local/local.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { createRedactor } from "../../src/lib/redact.ts";
import { openHistory, type History } from "../../src/state/history.ts";
import type { RunContext } from "../../src/run/context.ts";
import { createRecorder, type Recorder } from "../../src/run/recorder.ts";

/** For tests: a job, what it runs with, and stores that misbehave as told. */
export class RunBox {
  readonly root = mkdtempSync(join(tmpdir(), "lifeboat-run-"));
  readonly source = join(this.root, "backup");
  readonly lines: string[] = [];

  constructor() {
    mkdirSync(this.source);
    writeFileSync(join(this.source, "page.html"), "<p>hello</p>");
  }

  /** Incompressible content, so that an archive is at least this large. */
  fill(sizeBytes: number): void {
    const content = Buffer.alloc(sizeBytes);
    let state = 1;
    for (let at = 0; at < sizeBytes; at += 1) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      content[at] = state >>> 24;
    }
    writeFileSync(join(this.source, "large.bin"), content);
  }

  async context(settings: Readonly<Record<string, string>>, signal: AbortSignal): Promise<RunContext> {
    const job = await this.job(settings);
    const add = (level: string) => (text: string) => void this.lines.push(`${level} ${text}`);
    const log: Log = {
      debug: add("debug"),
      info: add("info"),
      warn: add("warn"),
      error: add("error"),
      with: () => log,
    };
    return {
      job,
      trigger: "manual",
      firedAtMs: systemClock.now(),
      options: {
        stateDir: join(this.root, "state"),
        lockFile: join(this.root, "run.lock"),
        logFormat: "text",
        logLevel: "info",
        templateFolders: [],
      },
      host: "host",
      version: "0",
      clock: systemClock,
      log,
      redact: createRedactor([]),
      signal,
      terminal: undefined,
      alreadySaid: new Set(),
      logTail: createLogTail(),
      settings: [],
    };
  }

  async job(settings: Readonly<Record<string, string>>): Promise<Job> {
    const environment = {
      BACKUP_SOURCES: this.source,
      BACKUP_FILENAME: "site.{{ .Extension }}",
      BACKUP_ARCHIVE: "",
      ...settings,
    };
    const { jobs, problems } = await loadConfig({ environment, ignoreFolder: true });
    const [job] = jobs;
    if (job === undefined)
      throw new Error(`the test's own configuration is wrong: ${problems.map(({ message }) => message).join("; ")}`);
    return job;
  }

  recorder(context: RunContext): Recorder {
    const { job, host, version, trigger, firedAtMs, clock, redact } = context;
    return createRecorder({ job: job.name, host, version, trigger, firedAtMs, clock, redact });
  }

  async history(context: RunContext): Promise<History> {
    return await openHistory({ stateDir: context.options.stateDir, onNote: () => undefined });
  }

  folder(name: string): string {
    const folder = join(this.root, name);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  local(name = "home"): Destination {
    return createLocalDestination({ folder: this.folder(name), label: name });
  }

  /** A store that is no folder to the run; `before` comes first in each of its uploads. */
  remote(
    name: string,
    before: (body: ArchiveSource, options: PutOptions) => Promise<void> = () => Promise.resolve(),
  ): Destination {
    const { folder: _, stage: __, ...inner } = this.local(name);
    return {
      ...inner,
      kind: "ssh",
      async put(object, body, options) {
        if (options.area === "archive") await before(body, options);
        return await inner.put(object, body, options);
      },
    };
  }

  dispose(): void {
    rmSync(this.root, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}
