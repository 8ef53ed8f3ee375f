import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export const MAIN = resolve(import.meta.dirname, "../../src/main.ts");

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A machine of its own for one test: source, config, archive and state folders, and the program to run in it. */
export class Sandbox {
  readonly root = mkdtempSync(join(tmpdir(), "lifeboat-e2e-"));
  readonly source = join(this.root, "backup");
  readonly config = join(this.root, "config");
  readonly archive = join(this.root, "archive");
  readonly state = join(this.root, "state");
  readonly lock = join(this.root, "run.lock");
  readonly #started: ChildProcess[] = [];

  constructor() {
    for (const folder of [this.source, this.config, this.archive]) mkdirSync(folder);
    writeFileSync(join(this.source, "index.html"), "<h1>hello</h1>\n");
  }

  get environment(): Record<string, string> {
    return {
      PATH: process.env["PATH"] ?? "",
      TZ: "UTC",
      CONFIG_DIR: this.config,
      STATE_DIR: this.state,
      LOCK_FILE: this.lock,
    };
  }

  /** Writes one job; `lines` come after the folders and may overrule them. */
  job(name: string, ...lines: string[]): void {
    const base = [`BACKUP_SOURCES=${this.source}`, `BACKUP_ARCHIVE=${this.archive}`];
    writeFileSync(join(this.config, name), `${[...base, ...lines].join("\n")}\n`);
  }

  run(args: readonly string[], environment: Record<string, string> = {}): Finished {
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
      env: { ...this.environment, ...environment },
      encoding: "utf8",
      timeout: 60_000,
      maxBuffer: 64 * 1024 * 1024,
    });
    return { status, stdout, stderr };
  }

  /** Starts without waiting; ended by `dispose` at the latest. */
  start(
    args: readonly string[],
    environment: Record<string, string> = {},
  ): { child: ChildProcess; output(): string; ended: Promise<number | null> } {
    const child = spawn(process.execPath, [MAIN, ...args], {
      env: { ...this.environment, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#started.push(child);
    let text = "";
    child.stdout?.on("data", (chunk: Buffer) => (text += chunk.toString()));
    child.stderr?.on("data", (chunk: Buffer) => (text += chunk.toString()));
    const ended = new Promise<number | null>((done) => child.once("close", (code) => done(code)));
    return { child, output: () => text, ended };
  }

  /** Visible files in the archive folder, sorted. */
  archives(): string[] {
    return existsSync(this.archive)
      ? readdirSync(this.archive)
          .filter((name) => !name.startsWith("."))
          .sort()
      : [];
  }

  hidden(): string[] {
    return readdirSync(this.archive)
      .filter((name) => name.startsWith(".") && name !== ".lifeboat")
      .sort();
  }

  json(args: readonly string[], environment: Record<string, string> = {}): unknown {
    return JSON.parse(this.run([...args, "--json"], environment).stdout);
  }

  dispose(): void {
    for (const child of this.#started) child.kill("SIGKILL");
    rmSync(this.root, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

/** Polls until `done`, or fails after `limitMs` saying what did not happen. */
export async function until(what: string, done: () => boolean, limitMs = 20_000): Promise<void> {
  const end = Date.now() + limitMs;
  while (!done()) {
    if (Date.now() > end) throw new Error(`did not happen in time: ${what}`);
    await new Promise((resume) => setTimeout(resume, 50));
  }
}
