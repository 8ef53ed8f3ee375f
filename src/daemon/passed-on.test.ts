import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { plainSettings } from "../config/parts.ts";
import { startChild } from "./children.ts";
import { isPassedOn } from "./passed-on.ts";

const OPTIONS = {
  stateDir: "/nowhere",
  lockFile: "/nowhere/lock",
  logFormat: "text",
  logLevel: "info",
  templateFolders: [],
} as const;

it("a child knows the platform's credentials, proxies and authorities, and no setting", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lifeboat-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  onTestFinished(() => void vi.unstubAllEnvs());
  const entry = join(folder, "entry.mjs");
  writeFileSync(entry, `import { writeFileSync } from "node:fs"; writeFileSync(3, JSON.stringify(process.env));`);
  const given = {
    https_proxy: "http://proxy:3128",
    NO_PROXY: "lan",
    SSL_CERT_DIR: folder,
    AWS_WEB_IDENTITY_TOKEN_FILE: "/var/run/token",
    IDENTITY_ENDPOINT: "http://169.254.1.1/token",
  };
  for (const [key, value] of Object.entries({ ...given, AWS_SECRET_ACCESS_KEY: "secret" })) vi.stubEnv(key, value);
  const { answer } = await startChild({ kind: "connect", options: OPTIONS, jobs: [] }, entry).ended;
  expect(answer).toMatchObject(given);
  expect(answer).not.toHaveProperty("AWS_SECRET_ACCESS_KEY");
});

it("no setting is told in the environment but the time zone", () => {
  const keys = plainSettings().map(({ key }) => key);
  expect(keys.filter(isPassedOn)).toEqual(keys.filter((key) => key === "TZ"));
});
