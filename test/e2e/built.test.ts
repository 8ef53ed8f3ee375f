import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Sandbox } from "./sandbox.ts";
import { WebHook } from "./web-hook.ts";

/*
 * The other tests run the sources. A bundle is another program: packages that are CommonJS, for one, lose their named
 * exports where they are loaded lazily.
 */

const ROOT = resolve(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "lifeboat-built-"));
const box = new Sandbox();
const hook = new WebHook();

beforeAll(async () => {
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, "scripts/build.ts"), join(folder, "dist")], {
    encoding: "utf8",
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  await hook.start();
});
afterAll(async () => {
  box.dispose();
  await hook.stop();
  rmSync(folder, { recursive: true, force: true });
});

it("the built program backs up, pings the health check and notifies", async () => {
  box.job(
    "site.env",
    `HEALTHCHECK_URL=http://127.0.0.1:${hook.port}/ping/u`,
    "NOTIFICATION_LEVEL=info",
    `NOTIFICATION_URLS=${hook.url()}`,
  );
  const program = spawn(process.execPath, [join(folder, "dist/main.js"), "run"], { env: box.environment });
  let output = "";
  for (const stream of [program.stdout, program.stderr])
    stream.on("data", (text: Buffer) => (output += text.toString()));
  const status = await new Promise((done) => program.on("close", done));
  expect({ status, output }).toEqual({ status: 0, output: expect.not.stringMatching(/ (?:warn|error) /) });
  expect(hook.received.map(({ path }) => path.replace(/\?.*/, "")).toSorted()).toEqual([
    "/hook",
    "/ping/u",
    "/ping/u/start",
  ]);
});
