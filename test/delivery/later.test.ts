import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { RunReport } from "../../src/contracts/run.ts";
import { heal } from "../../src/run/heal.ts";
import { deliverLater } from "../../src/run/later-phase.ts";
import { runJob } from "../../src/run/run.ts";
import { listAll, readAll } from "../conformance/harness.ts";
import { sha256 } from "../conformance/sources.ts";
import { dropboxAt } from "../servers/dropbox-destination.ts";
import {
  type DropboxFake,
  FAKE_APP_KEY,
  FAKE_APP_SECRET,
  FAKE_REFRESH_TOKEN,
  startDropboxFake,
} from "../servers/dropbox-fake.ts";
import { WebHook } from "../e2e/web-hook.ts";
import { RunBox } from "./run-box.ts";

let box: RunBox;
let dropbox: DropboxFake;
let allScopes: string[];
beforeEach(async () => {
  box = new RunBox();
  dropbox = await startDropboxFake();
  allScopes = dropbox.behaviour.scopes;
});
afterEach(async () => {
  await dropbox.close();
  box.dispose();
});

const { signal } = new AbortController();

function settings(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    DROPBOX_ENDPOINT: dropbox.origin,
    DROPBOX_REFRESH_TOKEN: FAKE_REFRESH_TOKEN,
    DROPBOX_APP_KEY: FAKE_APP_KEY,
    DROPBOX_APP_SECRET: FAKE_APP_SECRET,
    DROPBOX_REMOTE_PATH: "/site",
    ...more,
  };
}

const refuseWriting = (): void => {
  dropbox.behaviour.scopes = allScopes.filter((scope) => scope !== "files.content.write");
  dropbox.behaviour.revokeTokens();
};
const allowAll = (): void => {
  dropbox.behaviour.scopes = allScopes;
  dropbox.behaviour.revokeTokens();
};

async function run(more: Readonly<Record<string, string>>): Promise<RunReport> {
  return (await runJob(await box.context(settings(more), signal))).report;
}

/** As the daemon does, in a process of its own: nothing is remembered but what lies in files. */
async function later(
  more: Readonly<Record<string, string>>,
): Promise<{ pending: boolean; run: RunReport | undefined }> {
  const context = await box.context(settings(more), signal);
  const { pending } = await deliverLater({ ...context, jobs: [context.job] });
  const history = await box.history(context);
  const [newest] = history.runs({ job: context.job.name });
  history.close();
  return { pending, run: newest };
}

async function inDropbox(): Promise<string[]> {
  const destination = dropboxAt(dropbox.origin);
  return (await listAll(destination, "archive")).map(({ name }) => name);
}

it("sends the local folder's archive again, and corrects the run in the history and in every record", async () => {
  const home = { BACKUP_ARCHIVE: box.folder("home") };
  refuseWriting();
  const before = await run(home);
  expect(before).toMatchObject({ status: "partial", deliveries: [{ status: "stored" }, { status: "failed" }] });

  const context = await box.context(settings(home), signal);
  expect(await heal({ ...context, jobs: [context.job] })).toMatchObject({ pending: true });
  const refused = await later(home);
  expect(refused).toMatchObject({ pending: true, run: { status: "partial" } });
  expect(refused.run?.deliveries[1]?.attempts).toBeGreaterThan(before.deliveries[1]?.attempts ?? 0);

  allowAll();
  const after = await later(home);
  expect(after).toMatchObject({
    pending: false,
    run: { id: before.id, status: "success", deliveries: [{ status: "stored" }, { status: "stored" }] },
  });
  expect(after.run?.deliveries[1]?.deliveredAt).toMatch(/^\d{4}-/);
  expect(after.run).not.toHaveProperty("error");
  const destination = dropboxAt(dropbox.origin);
  expect(sha256(await readAll(destination, "archive", "site.tar.gz"))).toBe(before.archive?.sha256);
  expect((await listAll(destination, "record")).map(({ name }) => name)).toEqual([
    `default/${before.id}.json`,
    "site.tar.gz.index",
  ]);
  const record = JSON.parse(
    readFileSync(join(box.root, "home", ".lifeboat", "default", `${before.id}.json`), "utf8"),
  ) as RunReport;
  expect(record.status).toBe("success");
  expect(await later(home)).toMatchObject({ pending: false });
});

it("tells those who were told of the failure that it is a success after all, once", async () => {
  const hook = new WebHook();
  await hook.start();
  try {
    const told = {
      BACKUP_ARCHIVE: box.folder("home"),
      NOTIFICATION_URLS: hook.url(),
      NOTIFICATION_LEVEL: "info",
      HEALTHCHECK_URL: `http://127.0.0.1:${hook.port}/check`,
    };
    refuseWriting();
    await run(told);
    await later(told);
    allowAll();
    const { run: after } = await later(told);
    await later(told);
    const messages = hook.messages();
    expect(messages.map(({ title }) => title)).toEqual([
      "Backup of default partly succeeded",
      "Backup of default succeeded again",
    ]);
    expect(messages[1]?.message).toContain("success: what was missing was stored by a later try");
    expect(hook.received.map(({ path }) => path).filter((path) => path.startsWith("/check"))).toEqual([
      "/check/start",
      "/check/fail",
      "/check",
    ]);
    expect(after?.steps.filter(({ phase }) => phase === "notify").map(({ outcome }) => outcome)).toEqual(["ok", "ok"]);
  } finally {
    await hook.stop();
  }
});

it("keeps the archive in the spool where no local folder has it, until it is delivered or a run overtakes it", async () => {
  const spool = join(box.root, "state", "spool");
  const spooled = { SPOOL_MAX_BYTES: "1GB" };
  refuseWriting();
  const first = await run(spooled);
  expect(first).toMatchObject({ status: "failed", deliveries: [{ status: "failed" }] });
  expect(readdirSync(spool)).toEqual([`${first.id}.kept`]);
  const second = await run(spooled);
  expect(readdirSync(spool)).toEqual([`${second.id}.kept`]);
  expect(await later(spooled)).toMatchObject({ pending: true });
  allowAll();
  expect(await later(spooled)).toMatchObject({ pending: false, run: { id: second.id, status: "success" } });
  expect(readdirSync(spool)).toEqual([]);
  expect(await inDropbox()).toEqual(["site.tar.gz"]);
});

it("keeps no more than it may, and nothing of an archive that went through memory", async () => {
  refuseWriting();
  await run({ SPOOL_MAX_BYTES: "10" });
  expect(readdirSync(join(box.root, "state", "spool"))).toEqual([]);
  expect(box.lines.join("\n")).toContain("SPOOL_MAX_BYTES is too small");
  box.dispose();
  box = new RunBox();
  await run({});
  expect(existsSync(join(box.root, "state", "spool"))).toBe(false);
  expect(await later({})).toMatchObject({ pending: false });
});

it("sends nothing that is no longer what the run made", async () => {
  const home = { BACKUP_ARCHIVE: box.folder("home") };
  refuseWriting();
  await run(home);
  allowAll();
  const archive = join(box.root, "home", "site.tar.gz");
  const bytes = readFileSync(archive);
  bytes.writeUInt8(bytes.readUInt8(100) ^ 1, 100);
  writeFileSync(archive, bytes);
  expect(await later(home)).toMatchObject({ pending: true, run: { status: "partial" } });
  expect(box.lines.join("\n")).toContain("was changed since it was made");
  appendFileSync(archive, "x");
  expect(await later(home)).toMatchObject({ pending: false, run: { status: "partial" } });
  expect(await inDropbox()).toEqual([]);
});

it("gives way to a run", async () => {
  const home = { BACKUP_ARCHIVE: box.folder("home") };
  refuseWriting();
  await run(home);
  allowAll();
  const { acquireLock } = await import("../../src/state/lock.ts");
  const lock = await acquireLock({ path: join(box.root, "run.lock"), timeoutMs: 0, signal, job: "other" });
  expect(await later(home)).toMatchObject({ pending: true, run: { status: "partial" } });
  lock.release();
  expect(await inDropbox()).toEqual([]);
});
