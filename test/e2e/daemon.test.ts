import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Sandbox, until } from "./sandbox.ts";

let box: Sandbox;
beforeEach(() => {
  box = new Sandbox();
});
afterEach(() => box.dispose());

const EVERY_SECOND = "BACKUP_CRON_EXPRESSION=* * * * * *";
const NEVER = "BACKUP_CRON_EXPRESSION=0 0 5 31 2 ?";

interface Run {
  readonly status: string;
  readonly trigger: string;
  readonly job: string;
}

/** Enough that a run is still going on when the test wants to disturb it. */
function makeLongRun(): void {
  const noise = randomBytes(8 * 1024 * 1024);
  for (let file = 0; file < 60; file += 1) writeFileSync(join(box.source, `noise-${file}`), noise);
}

const silentServers: Server[] = [];
afterEach(() => {
  for (const server of silentServers.splice(0)) server.close().closeAllConnections();
});

/** Takes requests and never answers one, so that what waits for it goes on until the test says otherwise. */
async function silentServer(): Promise<{ readonly url: string; close(): void }> {
  const server = createServer().listen(0, "127.0.0.1");
  silentServers.push(server);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close() {
      server.close().closeAllConnections();
    },
  };
}

async function partialIsThere(): Promise<void> {
  await until("a run that has begun to write", () => box.hidden().some((name) => name.endsWith(".partial")));
}

describe("lifeboat daemon", () => {
  it("runs on schedule and stops on SIGTERM with exit code 0", async () => {
    box.job("site.env", EVERY_SECOND);
    const daemon = box.start(["daemon"]);
    await until("two archives", () => box.archives().length >= 2);
    expect(box.run(["health"]).status).toBe(0);
    expect(box.run(["status"]).stdout).toContain("daemon running since");
    daemon.child.kill("SIGTERM");
    expect(await daemon.ended).toBe(0);
    expect(daemon.output()).toContain("stopped");
    expect(box.run(["health"]).status).toBe(1);
    const runs = box.json(["history"]) as Run[];
    expect(runs.some((run) => run.status === "success" && run.trigger === "schedule")).toBe(true);
  });

  it("takes a changed file within five seconds, keeps the last good one of a broken file, and forgets a removed one", async () => {
    box.job("site.env", NEVER);
    const daemon = box.start(["daemon"]);
    await until("the start", () => daemon.output().includes("runs only by hand"));
    const changedAt = Date.now();
    box.job("site.env", EVERY_SECOND, "BACKUP_FILENAME=a-%S.tar.gz");
    await until("an archive of the changed job", () => box.archives().length > 0, 10_000);
    expect(Date.now() - changedAt).toBeLessThan(8_000);

    box.job("site.env", EVERY_SECOND, "BACKUP_COMPRESSION=rar");
    await until("the complaint", () => daemon.output().includes("BACKUP_COMPRESSION"), 10_000);
    const status = box.run(["status"]);
    expect(status.status).toBe(5);
    expect(status.stdout).toMatch(
      /site\n {2}broken .*the last good version stays in use\n(?: {2}running .*\n)? {2}last run {3}(success|failed|skipped) at/,
    );
    const before = box.archives().length;
    await until("the last good version still runs", () => box.archives().length > before, 10_000);

    rmSync(join(box.config, "site.env"));
    box.job("other.env", EVERY_SECOND, "BACKUP_FILENAME=b-%S.tar.gz");
    await until("the new job", () => box.archives().some((name) => name.startsWith("b-")), 10_000);
    const left = box.archives().filter((name) => name.startsWith("a-")).length;
    await new Promise((resume) => setTimeout(resume, 2_500));
    expect(box.archives().filter((name) => name.startsWith("a-")).length).toBe(left);
    expect((box.json(["history"]) as Run[]).some((run) => run.job === "site" && run.status === "failed")).toBe(true);
  });

  it("reads its configuration again on SIGHUP, and goes on", async () => {
    box.job("site.env", NEVER);
    const daemon = box.start(["daemon"]);
    await until("the start", () => daemon.output().includes("runs only by hand"));
    daemon.child.kill("SIGHUP");
    await until("the answer", () => daemon.output().includes("as SIGHUP asks"));
    daemon.child.kill("SIGTERM");
    expect(await daemon.ended).toBe(0);
    expect(daemon.output()).toContain("stopped");
  });

  it("says that another daemon runs the same jobs, and is found again when that one has ended", async () => {
    box.job("site.env", NEVER);
    const first = box.start(["daemon"]);
    await until("the first", () => first.output().includes("runs only by hand"));
    const second = box.start(["daemon"]);
    await until("the second", () => second.output().includes("runs only by hand"));
    expect(second.output()).toContain(`another daemon runs these jobs already (process ${first.child.pid}, since `);
    second.child.kill("SIGTERM");
    expect(await second.ended).toBe(0);
    await until("the first is seen again", () => box.run(["status"]).stdout.includes("daemon running"), 25_000);
    expect(box.run(["health"]).status).toBe(0);
  }, 60_000);

  it("stays and watches where no file is usable", async () => {
    const daemon = box.start(["daemon"]);
    await until("the complaint", () => daemon.output().includes("holds no job"), 10_000);
    box.job("site.env", EVERY_SECOND);
    await until("an archive", () => box.archives().length > 0, 15_000);
    expect(daemon.child.exitCode).toBeNull();
  });

  it("ends at once with 5 where the environment's job is wrong", () => {
    rmSync(box.config, { recursive: true });
    const { status, stdout } = box.run(["daemon"], {
      CONFIG_DIR: "",
      BACKUP_COMPRESSION: "rar",
      BACKUP_ARCHIVE: box.archive,
    });
    expect(status).toBe(5);
    expect(stdout).toContain("BACKUP_COMPRESSION");
  });

  it("stopped in the middle of a run it leaves no partial archive and an interrupted record", async () => {
    makeLongRun();
    box.job("site.env", EVERY_SECOND, "BACKUP_COMPRESSION=gz", "BACKUP_COMPRESSION_LEVEL=best");
    const daemon = box.start(["daemon"]);
    await partialIsThere();
    expect(existsSync(box.lock)).toBe(true);
    daemon.child.kill("SIGTERM");
    expect(await daemon.ended).toBe(0);
    expect(box.archives()).toEqual([]);
    expect(box.hidden()).toEqual([]);
    expect(existsSync(box.lock)).toBe(false);
    expect((box.json(["history"]) as Run[]).some((run) => run.status === "interrupted")).toBe(true);
  });

  it("a run by hand whose terminal is closed ends in an orderly way", async () => {
    makeLongRun();
    box.job("site.env", NEVER, "BACKUP_COMPRESSION_LEVEL=best");
    const run = box.start(["run"]);
    await partialIsThere();
    run.child.kill("SIGHUP");
    expect(await run.ended).toBe(1);
    expect(box.hidden()).toEqual([]);
    expect(existsSync(box.lock)).toBe(false);
    expect((box.json(["history"]) as Run[]).map((one) => one.status)).toEqual(["interrupted"]);
  });

  it.each(["with", "without"])(
    "killed in the middle of a run it heals at the next start, %s its state folder",
    async (state) => {
      makeLongRun();
      box.job("site.env", EVERY_SECOND, "BACKUP_COMPRESSION_LEVEL=best");
      const daemon = box.start(["daemon"]);
      await partialIsThere();
      const holder = JSON.parse(readFileSync(box.lock, "utf8")) as { pid: number };
      daemon.child.kill("SIGKILL");
      process.kill(holder.pid, "SIGKILL");
      await daemon.ended;
      expect(box.hidden().length).toBeGreaterThan(0);
      if (state === "without") rmSync(box.state, { recursive: true });
      box.job("site.env", NEVER);
      const second = box.start(["daemon"]);
      await until("healing", () => second.output().includes("recorded as interrupted"));
      await until("no leftovers", () => box.hidden().length === 0);
      expect(existsSync(box.lock)).toBe(false);
      expect((box.json(["history"]) as Run[]).some((run) => run.status === "interrupted")).toBe(true);
    },
  );

  it("a run ends when its daemon is killed", async () => {
    makeLongRun();
    box.job("site.env", EVERY_SECOND, "BACKUP_COMPRESSION_LEVEL=best");
    const daemon = box.start(["daemon"]);
    await partialIsThere();
    daemon.child.kill("SIGKILL");
    await until("the child cleans up", () => box.hidden().length === 0 && !existsSync(box.lock));
    expect(box.archives()).toEqual([]);
  });

  it("cancel ends the run that is going on", async () => {
    const silent = await silentServer();
    box.job("site.env", `WEBDAV_URL=${silent.url}`);
    const started = box.start(["run"]);
    await until("a run that waits for its store", () => started.output().includes("stored at local"));
    expect(box.run(["status"]).stdout).toMatch(/running +for \d+.*: the archive is complete \(/);
    expect(box.run(["cancel", "other"]).status).toBe(1);
    expect(box.run(["cancel"]).status).toBe(0);
    expect(await started.ended).toBe(1);
    silent.close();
    expect(box.hidden()).toEqual([]);
    expect((box.json(["history"]) as Run[]).some((run) => run.status === "interrupted")).toBe(true);
  }, 90_000);

  it("ends a run at BACKUP_TIMEOUT as failed", () => {
    makeLongRun();
    box.job("site.env", "BACKUP_COMPRESSION_LEVEL=best", "BACKUP_TIMEOUT=700ms");
    const { status, stdout } = box.run(["run"]);
    expect(status).toBe(1);
    expect(stdout).toContain("BACKUP_TIMEOUT");
    expect(box.archives()).toEqual([]);
    expect(box.hidden()).toEqual([]);
  });

  it("drops a fire of a job that still runs and records it as skipped", async () => {
    makeLongRun();
    box.job("site.env", EVERY_SECOND, "BACKUP_COMPRESSION_LEVEL=best");
    const daemon = box.start(["daemon"]);
    await until("an archive", () => box.archives().length > 0, 60_000);
    daemon.child.kill("SIGTERM");
    await daemon.ended;
    expect((box.json(["history", "--limit", "50"]) as Run[]).some((run) => run.status === "skipped")).toBe(true);
  }, 90_000);

  it("catches up a run that was missed while it was down, and only that", async () => {
    box.job("missed.env", "BACKUP_CRON_EXPRESSION=@daily", "BACKUP_FILENAME=missed-%S.tar.gz");
    box.job("punctual.env", "BACKUP_CRON_EXPRESSION=@yearly", "BACKUP_FILENAME=punctual-%S.tar.gz");
    box.job("never-ran.env", "BACKUP_CRON_EXPRESSION=@daily", "BACKUP_FILENAME=never-%S.tar.gz");
    expect(box.run(["run", "missed", "punctual"]).status).toBe(0);
    // Three days later, as the record beside the archive sees it, and without a state folder.
    rmSync(box.state, { recursive: true });
    const [record = ""] = readdirSync(join(box.archive, ".lifeboat", "missed"));
    const path = join(box.archive, ".lifeboat", "missed", record);
    const report = JSON.parse(readFileSync(path, "utf8")) as Record<string, string>;
    const earlier = (text = ""): string => new Date(Date.parse(text) - 3 * 86_400_000).toISOString();
    for (const key of ["firedAt", "startedAt", "endedAt"]) report[key] = earlier(report[key]);
    writeFileSync(path, JSON.stringify(report));
    const daemon = box.start(["daemon"]);
    await until("the remark", () => daemon.output().includes("it is caught up shortly"));
    expect(daemon.output().match(/was missed/g)).toHaveLength(1);
    expect(daemon.output()).toMatch(/\[missed\] a run that was due at .* was missed/);
  });

  it("says once what is wrong with the state folder, though runs come due while earlier ones are looked after", async () => {
    const silent = await silentServer();
    writeFileSync(box.state, "a file where the folder should be");
    box.job("site.env", EVERY_SECOND, `WEBDAV_URL=${silent.url}`);
    const daemon = box.start(["daemon"]);
    await until("a second run that came due", () => daemon.output().includes("this run is skipped"));
    silent.close();
    await until("the run", () => daemon.output().includes("archive complete"));
    const lines = daemon.output().split("\n");
    expect(lines.filter((line) => line.includes("history is kept in memory only"))).toHaveLength(1);
  });

  it("goes on without a state folder, says so, and shows earlier runs from the records", async () => {
    writeFileSync(box.state, "a file where the folder should be");
    box.job("site.env", EVERY_SECOND);
    const daemon = box.start(["daemon"]);
    await until("two runs", () => daemon.output().split("run succeeded").length > 2);
    daemon.child.kill("SIGTERM");
    await daemon.ended;
    const said = daemon
      .output()
      .split("\n")
      .filter((line) => line.includes(box.state));
    expect(said.length).toBeGreaterThanOrEqual(1);
    expect((box.json(["history"]) as Run[]).filter((run) => run.status === "success").length).toBeGreaterThanOrEqual(2);
    expect(box.run(["list"]).stdout).toContain("success");
  });
});
