import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { FAKE_APP_KEY, FAKE_APP_SECRET, FAKE_REFRESH_TOKEN, startDropboxFake } from "../servers/dropbox-fake.ts";
import { Sandbox, until } from "./sandbox.ts";

let box: Sandbox;
beforeEach(() => {
  box = new Sandbox();
});
afterEach(() => box.dispose());

const DEAD = ["SSH_2_HOST_NAME=127.0.0.1", "SSH_2_PORT=1", "SSH_2_USER=u", "SSH_2_PASSWORD=very-secret"];

it("check goes through each destination on its own, and names the setting to look at", () => {
  box.job("site.env", ...DEAD);
  const { status, stdout } = box.run(["check"]);
  expect(status).toBe(1);
  expect(stdout).toMatch(
    /ok {7}site: local:.*: 0 archives, .* free, authenticate .*, write .*, read .*, list .*, remove /,
  );
  expect(stdout).toMatch(
    /error {4}site: ssh:u@127\.0\.0\.1:1: connect failed: can't connect to 127\.0\.0\.1:1: .*SSH_2_HOST_NAME/,
  );
  const findings = box.json(["check"]) as { destination?: string; steps?: { step: string; outcome: string }[] }[];
  expect(findings.find(({ destination }) => destination?.startsWith("ssh:"))?.steps).toMatchObject([
    { step: "connect", outcome: "failed" },
  ]);
  expect(readdirSync(join(box.archive, ".lifeboat"))).toEqual([]);
  expect(stdout).not.toContain("very-secret");
});

it("the daemon says at its start, and after a change, which destination can't be reached, and goes on", async () => {
  box.job("site.env", ...DEAD);
  const { output } = box.start(["daemon"]);
  await until("the warning", () => output().includes("can't be used now"), 30_000);
  expect(output()).toMatch(/warn .*\[site\] ssh:u@127\.0\.0\.1:1 can't be used now: .*refused/);
  box.job("more.env", "SSH_HOST_NAME=127.0.0.1", "SSH_PORT=1", "SSH_USER=other");
  await until("the second warning", () => output().includes("[more] ssh:other@127.0.0.1:1 can't be used"), 30_000);
  expect(output().match(/\[site\].*can't be used now/g)).toHaveLength(1);
  expect(output()).not.toContain("very-secret");
});

it("list and history name every place of an archive with what was compared, and tolerate a dead one", async () => {
  const dropbox = await startDropboxFake();
  try {
    box.job(
      "site.env",
      "BACKUP_FILENAME=site.tar.gz",
      `DROPBOX_ENDPOINT=${dropbox.origin}`,
      `DROPBOX_REFRESH_TOKEN=${FAKE_REFRESH_TOKEN}`,
      `DROPBOX_APP_KEY=${FAKE_APP_KEY}`,
      `DROPBOX_APP_SECRET=${FAKE_APP_SECRET}`,
    );
    const ran = box.start(["run"]);
    expect(await ran.ended).toBe(0);
    const listing = box.start(["list"]);
    expect(await listing.ended).toBe(0);
    expect(listing.output()).toMatch(/^site\.tar\.gz .* success +local:\S+ \(size\), dropbox:.* \((sha256|size)\)$/m);
    const history = box.start(["history"]);
    expect(await history.ended).toBe(0);
    expect(history.output()).toMatch(/local:\S+ \(size\), dropbox:\S* \(/);
    dropbox.behaviour.scopes = [];
    dropbox.behaviour.revokeTokens();
    const half = box.start(["list"]);
    expect(await half.ended).toBe(1);
    expect(half.output()).toMatch(/^site\.tar\.gz .* local:\S+ \(size\)$/m);
    expect(half.output()).toMatch(/not listed: dropbox:/);
  } finally {
    await dropbox.close();
  }
});

it("credentials that can only write are no reason for a warning", async () => {
  const dropbox = await startDropboxFake();
  dropbox.behaviour.scopes = ["files.content.write"];
  try {
    box.job(
      "site.env",
      `DROPBOX_ENDPOINT=${dropbox.origin}`,
      `DROPBOX_REFRESH_TOKEN=${FAKE_REFRESH_TOKEN}`,
      `DROPBOX_APP_KEY=${FAKE_APP_KEY}`,
      `DROPBOX_APP_SECRET=${FAKE_APP_SECRET}`,
    );
    const ran = box.start(["run"]);
    expect(await ran.ended).toBe(0);
    expect(ran.output()).toMatch(/stored at dropbox:/);
    expect(ran.output()).not.toMatch(/ warn | error /);
  } finally {
    await dropbox.close();
  }
});
