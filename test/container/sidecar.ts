/** One sidecar with its folders, which lie on this machine. */
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { RunReport } from "../../src/contracts/run.ts";
import { docker, image, run, waitFor, type Output } from "./docker.ts";

export interface SidecarOptions {
  /** Owner of the archive and state folders; root when absent. */
  readonly uid?: number;
}

export interface Sidecar {
  /** Name of its container. */
  readonly name: string;
  readonly config: string;
  readonly source: string;
  readonly archive: string;
  readonly state: string;
  /** Writes a job's env file. */
  job(fileName: string, settings: Readonly<Record<string, string>>): void;
  /** Starts the container: more arguments of `docker run`, and a command instead of the image's own. */
  start(args?: readonly string[], command?: readonly string[]): Promise<void>;
  /** A command in a container of its own, with the same folders. */
  once(...command: string[]): Promise<Output>;
  /** A command in the running container; its standard output. */
  exec(...command: string[]): Promise<string>;
  /** Both streams of the container. */
  logs(): Promise<string>;
  history(): Promise<RunReport[]>;
  /** Everything in the archive folder, hidden names too, but for `.lifeboat`. */
  files(): string[];
  /** Archives under their final names. */
  archives(): string[];
  /** Asks until the answer is neither undefined nor false; a failure shows the logs. */
  waitFor<T>(
    what: string,
    ask: () => T | undefined | false | Promise<T | undefined | false>,
    timeoutMs?: number,
  ): Promise<T>;
  remove(): Promise<void>;
}

export function createSidecar(options: SidecarOptions = {}): Sidecar {
  const folder = mkdtempSync(path.join(os.tmpdir(), "lifeboat-sidecar-"));
  const name = path.basename(folder).toLowerCase();
  chmodSync(folder, 0o755);
  const make = (part: string, uid = 0): string => {
    const made = path.join(folder, part);
    mkdirSync(made, { mode: 0o755 });
    if (uid !== 0) chownSync(made, uid, uid);
    return made;
  };
  const config = make("config");
  // So called that an archive of `/backup` can be compared with it.
  const source = make("backup");
  const archive = make("archive", options.uid);
  const state = make("state", options.uid);
  const binds = [`${config}:/config:ro`, `${source}:/backup:ro`, `${archive}:/archive`, `${state}:/data`];
  const mounts = binds.flatMap((bind) => ["--volume", bind]);
  let started = false;

  const once = (...command: string[]): Promise<Output> =>
    run("docker", ["run", "--rm", ...mounts, image(), ...command]);
  const logs = async (): Promise<string> => {
    if (!started) return "";
    const { stdout, stderr } = await run("docker", ["logs", name]);
    return stdout + stderr;
  };
  const files = (): string[] =>
    readdirSync(archive)
      .filter((entry) => entry !== ".lifeboat")
      .toSorted();

  return {
    name,
    config,
    source,
    archive,
    state,
    job(fileName, settings) {
      const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`);
      writeFileSync(path.join(config, fileName), lines.join(""), { mode: 0o644 });
    },
    async start(args = [], command = []) {
      started = true;
      await docker("run", "--detach", "--name", name, ...mounts, ...args, image(), ...command);
    },
    once,
    exec: (...command) => docker("exec", name, ...command),
    logs,
    async history() {
      const { code, stdout, stderr } = await once("lifeboat", "history", "--json", "--limit", "100");
      if (code !== 0) throw new Error(`history: exit code ${code}\n${stderr}`);
      return JSON.parse(stdout) as RunReport[];
    },
    files,
    archives: () => files().filter((entry) => !entry.startsWith(".")),
    waitFor: (what, ask, timeoutMs = 60_000) => waitFor(what, ask, { timeoutMs, explain: logs }),
    async remove() {
      if (started) await run("docker", ["rm", "--force", "--volumes", name]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
