import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type DropboxFake,
  FAKE_APP_KEY,
  FAKE_APP_SECRET,
  FAKE_REFRESH_TOKEN,
  startDropboxFake,
} from "../servers/dropbox-fake.ts";
import { Sandbox } from "./sandbox.ts";

let fake: DropboxFake;
let box: Sandbox;

beforeEach(async () => {
  box = new Sandbox();
  fake = await startDropboxFake();
});
afterEach(async () => {
  await fake.close();
  box.dispose();
});

/** The command as a process, with these lines typed in. */
async function login(
  typed: readonly string[],
  environment: Record<string, string> = {},
): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const main = new URL("../../src/main.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [main, "dropbox-login"], {
    env: { ...box.environment, DROPBOX_OAUTH2_ENDPOINT: fake.origin, ...environment },
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => (stdout += String(chunk)));
  child.stderr.on("data", (chunk) => (stderr += String(chunk)));
  child.stdin.end(typed.map((text) => `${text}\n`).join(""));
  await once(child, "close");
  return { status: child.exitCode, stdout, stderr };
}

const KEYS = { DROPBOX_APP_KEY: FAKE_APP_KEY, DROPBOX_APP_SECRET: FAKE_APP_SECRET };

describe("lifeboat dropbox-login", () => {
  it("asks for key, secret and code, and prints the three lines alone on standard output", async () => {
    const { status, stdout, stderr } = await login([FAKE_APP_KEY, FAKE_APP_SECRET, fake.authorisationCode()]);
    expect(stdout).toBe(
      `DROPBOX_REFRESH_TOKEN=${FAKE_REFRESH_TOKEN}\nDROPBOX_APP_KEY=${FAKE_APP_KEY}\nDROPBOX_APP_SECRET=${FAKE_APP_SECRET}\n`,
    );
    expect(status).toBe(0);
    expect(stderr).toContain(
      `${fake.origin}/oauth2/authorize?client_id=${FAKE_APP_KEY}&response_type=code&token_access_type=offline`,
    );
    expect(stderr).not.toContain(FAKE_APP_SECRET);
  });

  it("shows Dropbox's own page, and takes key and secret from the environment", async () => {
    const { stderr, status } = await login([], { ...KEYS, DROPBOX_OAUTH2_ENDPOINT: "" });
    expect(stderr).toContain("https://www.dropbox.com/oauth2/authorize?client_id=fake-app-key&");
    expect(stderr).not.toContain("App key:");
    expect(stderr).toContain("standard input ended before an answer came");
    expect(status).toBe(1);
  });

  it("says what is wrong with a code, without showing it", async () => {
    const { status, stdout, stderr } = await login(["a-code-that-is-wrong"], KEYS);
    expect(status).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toContain("invalid_grant");
    expect(stderr).toContain("hint: a code is good once");
    expect(stderr).not.toContain("a-code-that-is-wrong");
  });

  it("says which settings are wrong where the secret is", async () => {
    const { status, stderr } = await login([fake.authorisationCode()], { ...KEYS, DROPBOX_APP_SECRET: "wrong-secret" });
    expect(status).toBe(1);
    expect(stderr).toContain("DROPBOX_APP_SECRET");
    expect(stderr).not.toContain("wrong-secret");
  });

  it("names the scopes that are missing", async () => {
    fake.behaviour.scopes = ["account_info.read", "files.content.write"];
    const { status, stderr, stdout } = await login([fake.authorisationCode()], KEYS);
    expect(status).toBe(0);
    expect(stdout).toContain("DROPBOX_REFRESH_TOKEN=");
    expect(stderr).toContain("files.content.read, files.metadata.read");
  });
});
