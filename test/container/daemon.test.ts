import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { docker, must, run } from "./docker.ts";
import { createSidecar, type Sidecar } from "./sidecar.ts";

let sidecar: Sidecar | undefined;

function make(options?: { uid: number }): Sidecar {
  sidecar = createSidecar(options);
  return sidecar;
}

afterEach(async () => {
  await sidecar?.remove();
  sidecar = undefined;
});

function writeSite(folder: string): void {
  mkdirSync(path.join(folder, "html/images"), { recursive: true });
  writeFileSync(path.join(folder, "html/index.html"), "<h1>hello</h1>\n".repeat(1000));
  writeFileSync(path.join(folder, "html/images/photo.jpg"), randomBytes(2_000_000));
  writeFileSync(path.join(folder, "html/a name with spaces and ünïcödé.txt"), "x");
  symlinkSync("index.html", path.join(folder, "html/link"));
}

/** GNU tar finds no difference between an archive and the folder that it was made of. */
async function compare(side: Sidecar, archive: string): Promise<void> {
  const args = ["--compare", "--file", path.join(side.archive, archive), "--directory", path.dirname(side.source)];
  expect(await run("tar", args)).toEqual({ code: 0, stdout: "", stderr: "" });
}

test("files in, archives out, a change is picked up without a restart, and the logs tell the story", async () => {
  const side = make();
  writeSite(side.source);
  side.job("site.env", {
    BACKUP_CRON_EXPRESSION: "*/3 * * * * *",
    BACKUP_FILENAME: "site-%Y-%m-%dT%H-%M-%S.{{ .Extension }}",
    NOTIFICATION_LEVEL: "error",
    AWS_SECRET_ACCESS_KEY: "s3cr3t-that-nobody-may-see",
  });
  await side.start();
  const first = await side.waitFor("the first archive", () => side.archives()[0]);
  expect(first).toMatch(/^site-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.tar\.gz$/);
  await compare(side, first);
  expect(statSync(path.join(side.archive, first)).mode & 0o777).toBe(0o600);

  side.job("second.env", {
    BACKUP_CRON_EXPRESSION: "@every 1s",
    BACKUP_FILENAME: "second-%H-%M-%S.{{ .Extension }}",
    BACKUP_COMPRESSION: "none",
  });
  const changedAt = Date.now();
  const startedAt = (await docker("inspect", "--format", "{{.State.StartedAt}}", side.name)).trim();
  await side.waitFor(
    "an archive of the second job",
    () => side.archives().find((name) => name.startsWith("second-")),
    30_000,
  );
  console.log(`a new job's archive was there ${((Date.now() - changedAt) / 1000).toFixed(1)} s after its file`);
  expect(await docker("inspect", "--format", "{{.State.StartedAt}}", side.name)).toBe(startedAt);

  side.job("second.env", { BACKUP_CRON_EXPRESSION: "@every banana" });
  const logs = await side.waitFor("the broken file's message", async () => {
    const text = await side.logs();
    return text.includes("second.env") && text.includes("BACKUP_CRON_EXPRESSION") ? text : undefined;
  });
  const before = side.archives().filter((name) => name.startsWith("second-")).length;
  await side.waitFor(
    "the last good version to go on",
    () => side.archives().filter((name) => name.startsWith("second-")).length > before,
  );

  console.log(logs.split("\n").slice(0, 25).join("\n"));
  const lines = (await side.logs()).trimEnd().split("\n");
  // Time, level, then the job in brackets where a line is about one.
  for (const line of lines)
    expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d) (debug|info |warn |error) /);
  expect(lines[0]).toMatch(/lifeboat \S+ starts/);
  expect(lines.some((line) => line.includes("[site] ") && line.includes(first) && /size=/.test(line))).toBe(true);
  expect(lines.join("\n")).not.toContain("s3cr3t-that-nobody-may-see");

  // One of the jobs is broken, which its exit code says.
  const config = await run("docker", ["exec", side.name, "backup", "print-config"]);
  expect(config.code).toBe(5);
  expect(config.stdout).toContain("BACKUP_CRON_EXPRESSION");
  expect(config.stdout + config.stderr).not.toContain("s3cr3t-that-nobody-may-see");
  expect(await side.exec("lifeboat", "list", "site")).toContain(first);
  expect(await side.exec("lifeboat", "show", first)).toContain("backup/html/index.html");
  const { stdout } = await run("docker", ["exec", side.name, "lifeboat", "status"]);
  expect(stdout).toMatch(/site\n[\s\S]*last good/);
  const runs = await side.history();
  expect(runs.some((report) => report.job === "site" && report.status === "success")).toBe(true);
  const ofFirst = runs.find((report) => report.archive?.name === first);
  expect(ofFirst?.archive?.sha256).toBe(
    createHash("sha256")
      .update(readFileSync(path.join(side.archive, first)))
      .digest("hex"),
  );
});

test("what it stored comes back", async () => {
  const side = make();
  writeSite(side.source);
  side.job("site.env", { BACKUP_FILENAME: "site-%H-%M-%S.{{ .Extension }}" });
  await side.start();
  await side.exec("lifeboat", "run", "site");
  await side.exec("lifeboat", "restore", "latest", "--to", "/data/restored");
  const restored = path.join(side.state, "restored");
  await must("diff", "--recursive", "--no-dereference", side.source, path.join(restored, "backup"));
  const [archive = ""] = side.archives();
  const { stdout } = await run("sh", [
    "-c",
    `docker exec ${side.name} lifeboat get ${archive} | sha256sum; sha256sum <"$1"`,
    "sh",
    path.join(side.archive, archive),
  ]);
  const [got, stored] = stdout.trim().split("\n");
  expect(got).toBe(stored);
});

test("an ordinary user, a read-only root file system, no capabilities, a panel's limits", async () => {
  const uid = 1000;
  const side = make({ uid });
  writeSite(side.source);
  side.job("site.env", { BACKUP_CRON_EXPRESSION: "*/2 * * * * *", BACKUP_FILENAME: "site-%H-%M-%S.{{ .Extension }}" });
  const limits = ["--cpus", "0.35", "--memory", "350m", "--pids-limit", "100"];
  await side.start([
    "--user",
    `${uid}:${uid}`,
    "--read-only",
    "--tmpfs",
    "/tmp",
    "--cap-drop",
    "ALL",
    "--security-opt",
    "no-new-privileges",
    ...limits,
  ]);
  const archive = await side.waitFor("an archive", () => side.archives()[0]);
  expect(statSync(path.join(side.archive, archive)).uid).toBe(uid);
  await compare(side, archive);
  expect((await docker("inspect", "--format", "{{.State.OOMKilled}} {{.RestartCount}}", side.name)).trim()).toBe(
    "false 0",
  );
  expect(await side.logs()).not.toMatch(/this is a bug|\n\s+at /);
});

test("without any writable volume but the archive's, backups go on and it is said", async () => {
  const side = make();
  writeSite(side.source);
  side.job("site.env", { BACKUP_CRON_EXPRESSION: "*/2 * * * * *", BACKUP_FILENAME: "site-%H-%M-%S.{{ .Extension }}" });
  await side.start(["--read-only", "--volume", "/dev/null:/data/unusable:ro", "--env", "STATE_DIR=/nowhere/state"]);
  await side.waitFor("two archives", () => side.archives().length >= 2);
  const lines = (await side.logs()).split("\n");
  for (const text of ["/nowhere/state/history.db", "/var/lock/dockervolumebackup.lock"]) {
    expect(
      lines.filter((line) => line.includes(` warn `) && line.includes(text)),
      `said once: ${text}`,
    ).toHaveLength(1);
  }
  const { stdout } = await run("docker", ["exec", side.name, "lifeboat", "history", "--json"]);
  const runs = JSON.parse(stdout) as { status: string }[];
  expect(runs.some((report) => report.status === "success")).toBe(true);
});

test("healthy while the daemon lives, unhealthy when it hangs", async () => {
  const side = make();
  side.job("site.env", { BACKUP_CRON_EXPRESSION: "@yearly" });
  await side.start(["--health-interval", "2s", "--health-retries", "1", "--health-start-period", "0s"]);
  const health = (): Promise<string> => docker("inspect", "--format", "{{.State.Health.Status}}", side.name);
  await side.waitFor("healthy", async () => (await health()) === "healthy", 45_000);
  await side.exec("lifeboat", "health");
  // Only the daemon is stopped, as if it hung: tini is process 1, the daemon its child.
  await side.exec("sh", "-c", `kill -STOP "$(cat /proc/1/task/1/children)"`);
  await side.waitFor("unhealthy", async () => (await health()) === "unhealthy", 100_000);
  await side.exec("sh", "-c", `kill -CONT "$(cat /proc/1/task/1/children)"`);
  await side.waitFor("healthy again", async () => (await health()) === "healthy", 60_000);
});

test("as a drop-in for the image that it replaces: environment alone, its entry point, its lock file", async () => {
  const side = make();
  writeSite(side.source);
  rmSync(side.config, { recursive: true });
  mkdirSync(side.config);
  const settings = {
    BACKUP_FILENAME: "backup-%Y-%m-%dT%H-%M-%S.{{ .Extension }}",
    BACKUP_CRON_EXPRESSION: "@yearly",
    BACKUP_RETENTION_DAYS: "7",
    BACKUP_PRUNING_PREFIX: "backup-",
    DOCKER_HOST: "tcp://docker-proxy:2375",
  };
  const env = Object.entries(settings).flatMap(([key, value]) => ["--env", `${key}=${value}`]);
  await side.start([...env, "--entrypoint", "backup"], ["-foreground"]);
  await side.waitFor("the daemon to be ready", async () => /next|@yearly/.test(await side.logs()));
  await side.exec("backup");
  await side.waitFor("an archive", () => side.archives()[0]);
  const lock = "test -f /var/run/lock/dockervolumebackup.lock && echo locked || echo free";
  expect(await side.exec("sh", "-c", lock)).toBe("free");
  // Names have whole seconds.
  await sleep(1100);
  // A source that takes a while: the lock is there for as long as the run.
  await must("truncate", "--size", "3G", path.join(side.source, "long.bin"));
  await docker("exec", "--detach", side.name, "backup");
  await side.waitFor("the lock file", async () => (await side.exec("sh", "-c", lock)) === "locked", 20_000);
  await side.waitFor("its removal", async () => (await side.exec("sh", "-c", lock)) === "free", 150_000);
  expect(side.archives()).toHaveLength(2);
  // As process 1, without tini, it still stops at once.
  const stoppedAt = Date.now();
  await docker("stop", "--time", "20", side.name);
  expect(Date.now() - stoppedAt).toBeLessThan(15_000);
});
