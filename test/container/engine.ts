/**
 * Runs once for the whole suite: finds a Docker engine or starts one of its own, makes the base image where it can't be
 * pulled, and builds the project's image.
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { TestProject } from "vitest/node";

const ROOT = path.join(import.meta.dirname, "../..");
const IMAGE = "lifeboat:test";

/** Kept between runs, because it holds the base image. */
const DATA_ROOT = process.env["LIFEBOAT_DOCKER_DATA"] ?? "/var/lib/lifeboat-test-docker";

declare module "vitest" {
  interface ProvidedContext {
    readonly dockerHost: string | undefined;
    readonly image: string;
  }
}

interface Engine {
  readonly host: string | undefined;
  stop(): Promise<void>;
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const engine = await findOrStartEngine();
  try {
    const env = engineEnv(engine.host);
    command("base image", "bash", ["scripts/base-image.sh"], env);
    command("image", "docker", ["build", "--quiet", "--tag", IMAGE, "."], env);
  } catch (error) {
    await engine.stop();
    throw error;
  }
  project.provide("dockerHost", engine.host);
  project.provide("image", IMAGE);
  return () => engine.stop();
}

function engineEnv(host: string | undefined): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env };
  if (host !== undefined) env["DOCKER_HOST"] = host;
  // Without the buildx plugin the client can only use the engine's own builder.
  if (spawnSync("docker", ["buildx", "version"], { env }).status !== 0) env["DOCKER_BUILDKIT"] = "0";
  return env;
}

function command(what: string, program: string, args: readonly string[], env: NodeJS.ProcessEnv): void {
  const startedAt = Date.now();
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd: ROOT,
    env,
    encoding: "utf8",
    timeout: 900_000,
  });
  if (error !== undefined) throw error;
  if (status !== 0)
    throw new Error(
      `${what}: ${program} ended with ${status ?? "a signal"}\n${stdout.slice(-6000)}\n${stderr.slice(-6000)}`,
    );
  console.log(`${what}: ready after ${((Date.now() - startedAt) / 1000).toFixed(0)} s`);
}

function answers(host: string | undefined): boolean {
  const env = host === undefined ? process.env : { ...process.env, DOCKER_HOST: host };
  return spawnSync("docker", ["info"], { env, stdio: "ignore", timeout: 20_000 }).status === 0;
}

async function findOrStartEngine(): Promise<Engine> {
  if (answers(undefined)) return { host: undefined, stop: async () => {} };
  const failures: string[] = [];
  // Some machines have no usable iptables; containers there work on the host's network only.
  for (const extra of [[], ["--iptables=false", "--ip6tables=false"]]) {
    const started = await startEngine(extra);
    if ("host" in started) return started;
    failures.push(started.log);
  }
  throw new Error(`dockerd does not start:\n${failures.join("\n---\n")}`);
}

async function startEngine(extra: readonly string[]): Promise<Engine | { readonly log: string }> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "lifeboat-docker-"));
  const host = `unix://${path.join(folder, "docker.sock")}`;
  const logFile = path.join(folder, "dockerd.log");
  const log = openSync(logFile, "a");
  const args = [
    "--data-root",
    DATA_ROOT,
    "--exec-root",
    path.join(folder, "exec"),
    "--pidfile",
    path.join(folder, "pid"),
    "-H",
    host,
  ];
  const daemon = spawn("dockerd", [...args, ...extra], { stdio: ["ignore", log, log], detached: true });
  let ended: string | undefined;
  daemon.once("error", (error) => (ended = error.message));
  daemon.once("exit", (code, signal) => (ended ??= `dockerd ended with ${code ?? signal ?? "nothing"}`));
  for (let tries = 0; tries < 120 && ended === undefined; tries += 1) {
    if (answers(host)) return { host, stop: () => stopEngine(daemon, folder) };
    await sleep(500);
  }
  const text = `${ended ?? "dockerd does not answer"}\n${readFileSync(logFile, "utf8").slice(-3000)}`;
  await stopEngine(daemon, folder);
  return { log: text };
}

async function stopEngine(daemon: ChildProcess, folder: string): Promise<void> {
  if (daemon.pid !== undefined && daemon.exitCode === null && daemon.signalCode === null) {
    const ended = new Promise<void>((resolve) => daemon.once("exit", () => resolve()));
    daemon.kill("SIGTERM");
    const inTime = await Promise.race([ended.then(() => true), sleep(30_000, false)]);
    if (!inTime) {
      daemon.kill("SIGKILL");
      await ended;
    }
  }
  // Busy mounts of a killed engine stay; they are below the temporary folder and harmless.
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
