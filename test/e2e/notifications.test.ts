import Database from "better-sqlite3";
import { mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Sandbox, until } from "./sandbox.ts";
import { WebHook } from "./web-hook.ts";

let box: Sandbox;
let hook: WebHook;

beforeEach(async () => {
  box = new Sandbox();
  hook = new WebHook();
  await hook.start();
});
afterEach(async () => {
  box.dispose();
  await hook.stop();
});

/** Runs without blocking this process, which has to answer as the service. */
async function run(...args: string[]): Promise<{ status: number | null; output: string }> {
  const { output, ended } = box.start(args);
  const status = await ended;
  return { status, output: output() };
}

describe("who is told of a run", () => {
  it("at level error: failures, and not the success after them", async () => {
    box.job("site.env", `NOTIFICATION_URLS=${hook.url()}`);
    expect((await run("run")).status).toBe(0);
    expect(hook.received).toEqual([]);
    rmSync(join(box.source, "index.html"));
    expect((await run("run")).status).toBe(1);
    expect(hook.messages()).toEqual([
      {
        title: "Backup of site failed",
        message: expect.stringMatching(/Status: failed[\s\S]*What went wrong[\s\S]*Log:/),
      },
    ]);
    writeFileSync(join(box.source, "index.html"), "again");
    expect((await run("run")).status).toBe(0);
    expect(hook.received).toHaveLength(1);
  });

  it("at level info: every run, with what changed, and that it is well again", async () => {
    box.job("site.env", "NOTIFICATION_LEVEL=info", `NOTIFICATION_URLS=${hook.url()}`);
    await run("run");
    writeFileSync(join(box.source, "new.txt"), "x".repeat(100_000));
    await run("run");
    box.job("site.env", "NOTIFICATION_LEVEL=info", `NOTIFICATION_URLS=${hook.url()}`, "BACKUP_SOURCES=/nowhere/at/all");
    expect((await run("run")).status).toBe(1);
    box.job("site.env", "NOTIFICATION_LEVEL=info", `NOTIFICATION_URLS=${hook.url()}`);
    await run("run");
    expect(hook.messages().map(({ title }) => title)).toEqual([
      "Backup of site succeeded",
      "Backup of site succeeded",
      "Backup of site failed",
      "Backup of site succeeded again",
    ]);
    expect(hook.messages()[1]?.message).toMatch(/Change: .* and 1 file more than the last good one/);
    expect(hook.messages()[1]?.message).toContain("Stored at:");
  });

  it("of a run that was killed, also by another job's run that found it, and before of that one", async () => {
    box.job("site.env", "NOTIFICATION_LEVEL=info", `NOTIFICATION_URLS=${hook.url()}`);
    box.job("first.env", `BACKUP_SOURCES=${box.config}`, "BACKUP_FILENAME=first-%s.{{ .Extension }}");
    const big = join(box.source, "big.bin");
    writeFileSync(big, "");
    truncateSync(big, 20_000_000_000);
    const killed = box.start(["run", "site"]);
    await until("an unfinished file", () => readdirSync(box.archive).length > 0);
    killed.child.kill("SIGKILL");
    await killed.ended;
    rmSync(big);
    await run("run");
    expect(hook.messages().map(({ title }) => title)).toEqual([
      "Backup of site was interrupted",
      "Backup of site succeeded again",
    ]);
  });

  it("further routes have levels of their own", async () => {
    box.job("site.env", `NOTIFICATION_URLS_ERROR=${hook.url("errors")}`, `NOTIFICATION_URLS_INFO=${hook.url("all")}`);
    await run("run");
    expect(hook.received.map(({ path }) => path)).toEqual(["/all"]);
  });
});

describe("a notifier that fails", () => {
  it("changes no status, is said without its URL, and is tried again until it is told", async () => {
    hook.answers.push(...Array.from({ length: 20 }, () => 503));
    const secret = hook.url("token-abcdef123456");
    box.job("site.env", "NOTIFICATION_LEVEL=info", `NOTIFICATION_URLS=${secret}`);
    const first = await run("run");
    expect(first.status).toBe(0);
    expect(first.output).toMatch(/could not tell generic 1: .*503.*not now/);
    expect(first.output).not.toContain("token-abcdef123456");
    const [report] = box.json(["history"]) as { steps: { phase: string; outcome: string; detail: string }[] }[];
    expect(report?.steps.filter(({ phase }) => phase === "notify")).toMatchObject([
      { outcome: "failed", detail: expect.stringContaining("503") },
    ]);
    // How a daemon hears of what a run by hand could not tell.
    expect(readdirSync(box.state)).toContain("leftovers");
    hook.answers.length = 0;
    const outbox = new Database(join(box.state, "outbox.db"));
    expect(outbox.prepare("SELECT job, title FROM outbox").all()).toEqual([
      { job: "site", title: "Backup of site succeeded" },
    ]);
    expect(JSON.stringify(outbox.prepare("SELECT * FROM outbox").all())).not.toContain("token-abcdef123456");
    outbox.prepare("UPDATE outbox SET next_ms = 0").run();
    outbox.close();
    const daemon = box.start(["daemon"]);
    await until("the message that waited", () => hook.received.length === 1);
    daemon.child.kill("SIGTERM");
    await daemon.ended;
    expect(daemon.output()).toContain("told generic 1 at attempt 2");
    const after = new Database(join(box.state, "outbox.db"));
    expect(after.prepare("SELECT count(*) AS n FROM outbox").get()).toEqual({ n: 0 });
    after.close();
  });

  it("that refuses for good is not tried again", async () => {
    hook.answers.push(401);
    box.job("site.env", "NOTIFICATION_LEVEL=info", `NOTIFICATION_URLS=${hook.url()}`);
    expect((await run("run")).output).toContain("401");
    expect(readdirSync(box.state).includes("outbox.db")).toBe(true);
    const outbox = new Database(join(box.state, "outbox.db"));
    expect(outbox.prepare("SELECT count(*) AS n FROM outbox").get()).toEqual({ n: 0 });
    outbox.close();
  });
});

describe("what happens without a run", () => {
  it("a broken configuration is told of by its own URLs", async () => {
    box.job("site.env", `NOTIFICATION_URLS=${hook.url()}`, "BACKUP_RETENTION_DAYS=many");
    const daemon = box.start(["daemon"]);
    await until("the complaint", () => hook.received.length === 1);
    daemon.child.kill("SIGTERM");
    await daemon.ended;
    expect(hook.messages()).toEqual([
      { title: "Configuration of site is broken", message: expect.stringContaining("BACKUP_RETENTION_DAYS") },
    ]);
  });

  it("a run by hand tells of a broken configuration as well, where nobody sits at a terminal", async () => {
    box.job("site.env", `NOTIFICATION_URLS=${hook.url()}`, "BACKUP_RETENTION_DAYS=never");
    box.job("good.env", "BACKUP_FILENAME=good-%s.{{ .Extension }}");
    expect((await run("run")).status).toBe(5);
    expect(hook.messages()).toEqual([
      { title: "Configuration of site is broken", message: expect.stringContaining("BACKUP_RETENTION_DAYS") },
    ]);
    rmSync(join(box.config, "good.env"));
    expect((await run("run")).status).toBe(5);
    expect(hook.messages()).toHaveLength(2);
  });

  it("a job that never ran is told of as well when its time is up", async () => {
    box.job("site.env", `NOTIFICATION_URLS=${hook.url()}`, "BACKUP_MAX_AGE=2s", "BACKUP_CRON_EXPRESSION=0 0 1 1 *");
    const daemon = box.start(["daemon"]);
    await until("the alert", () => hook.received.length > 0);
    daemon.child.kill("SIGTERM");
    await daemon.ended;
    expect(hook.messages()).toEqual([
      {
        title: "No good backup of site for 2.0s",
        message: expect.stringContaining("There is no good backup of site yet."),
      },
    ]);
  });

  it("a backup that is too old is told of once", async () => {
    box.job("site.env", `NOTIFICATION_URLS=${hook.url()}`, "BACKUP_MAX_AGE=2s", "BACKUP_CRON_EXPRESSION=0 0 1 1 *");
    expect((await run("run")).status).toBe(0);
    const daemon = box.start(["daemon"]);
    await until("the alert", () => hook.received.length > 0);
    await new Promise((resume) => setTimeout(resume, 3_000));
    daemon.child.kill("SIGTERM");
    await daemon.ended;
    expect(hook.messages().map(({ title }) => title)).toEqual(["No good backup of site for 2.0s"]);
  });
});

describe("templates", () => {
  const templates = (): string => join(box.config, "notifications.d");

  it("override title and body, see the run, and show no secret", async () => {
    mkdirSync(templates());
    writeFileSync(
      join(templates(), "own.tmpl"),
      `{{ define "title_success" }}{{ .Stats.BackupFile.Name | len }} letters{{ end }}
{{ define "body_success" -}}
{{ .Config.BackupCompression }} {{ .Config.AwsSecretAccessKey }} {{ (index .Stats.Storages "Local").Total }} {{ .Stats.BackupFile.Size | formatBytesDec }}
{{- end }}`,
    );
    box.job("site.env", "NOTIFICATION_LEVEL=info", `NOTIFICATION_URLS=${hook.url()}`, "BACKUP_RETENTION_DAYS=7");
    await run("run");
    expect(hook.messages()).toEqual([{ title: "33 letters", message: expect.stringMatching(/^gz {2}1 [0-9.]+ k?B$/) }]);
  });

  it("show no secret through the environment or a URL's user info either", async () => {
    mkdirSync(templates());
    writeFileSync(
      join(templates(), "own.tmpl"),
      `{{ define "body_success" }}{{ env "GREETING" }} {{ env "NOTIFICATION_URLS" }} {{ env "AWS_SECRET_ACCESS_KEY" }} {{ .Config.DropboxEndpoint }}{{ end }}`,
    );
    box.job(
      "site.env",
      "NOTIFICATION_LEVEL=info",
      `NOTIFICATION_URLS=${hook.url()}`,
      "AWS_SECRET_ACCESS_KEY=s3cret-key",
      "DROPBOX_ENDPOINT=https://me:s3cret-word@dropbox.example.com",
    );
    const { ended } = box.start(["run"], { GREETING: "hello" });
    await ended;
    expect(hook.messages().map(({ message }) => message)).toEqual(["hello *** *** https://***@dropbox.example.com"]);
  });

  it("one with an error is named with its line, and the default text is sent", async () => {
    mkdirSync(templates());
    writeFileSync(join(templates(), "broken.tmpl"), '{{ define "title_success" }}\n{{ .Nope.deeper }}{{ end }}');
    writeFileSync(join(templates(), "worse.tmpl"), "line one\n{{ if }}");
    box.job("site.env", "NOTIFICATION_LEVEL=info", `NOTIFICATION_URLS=${hook.url()}`);
    const { output } = await run("run");
    expect(output).toMatch(/template: broken\.tmpl:2: can't evaluate field Nope/);
    expect(output).toMatch(/template: worse\.tmpl:2: missing value for if/);
    expect(hook.messages().map(({ title }) => title)).toEqual(["Backup of site succeeded"]);
  });
});

it("the health check hears of the start, the success and the failure", async () => {
  box.job("site.env", `HEALTHCHECK_URL=http://127.0.0.1:${hook.port}/ping/uuid?x=1`);
  await run("run");
  rmSync(join(box.source, "index.html"));
  await run("run");
  expect(hook.received.map(({ path }) => path)).toEqual([
    "/ping/uuid/start?x=1",
    "/ping/uuid?x=1",
    "/ping/uuid/start?x=1",
    "/ping/uuid/fail?x=1",
  ]);
  expect(hook.received.at(-1)?.body).toContain("Status: failed");
});
