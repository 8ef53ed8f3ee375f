import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it, onTestFinished, vi } from "vitest";
import { configFolder, temporaryFolder } from "./testing.ts";
import { watchFolder, type WatchOptions } from "./watch.ts";

function watch(
  folder: string,
  more: Partial<WatchOptions> = {},
): { count(): number; sees(change: () => void): Promise<boolean> } {
  const controller = new AbortController();
  onTestFinished(() => controller.abort());
  let count = 0;
  watchFolder({
    folder,
    pollMs: 30,
    settleMs: 20,
    reportFirst: false,
    signal: controller.signal,
    ...more,
    onChange: () => (count += 1),
  });
  return {
    count: () => count,
    async sees(change) {
      const before = count;
      change();
      await vi.waitUntil(() => count > before, { timeout: 5_000, interval: 10 });
      return true;
    },
  };
}

it("sees files come, change, be replaced, and go", async () => {
  const folder = configFolder({ a: "one" });
  const file = path.join(folder, "a");
  const watcher = watch(folder);
  expect(await watcher.sees(() => writeFileSync(path.join(folder, "b"), ""))).toBe(true);
  expect(await watcher.sees(() => writeFileSync(file, "two"))).toBe(true);
  expect(
    await watcher.sees(() => {
      const { atime, mtime } = statSync(file);
      writeFileSync(file, "six");
      utimesSync(file, atime, mtime);
    }),
  ).toBe(true);
  expect(
    await watcher.sees(() => {
      writeFileSync(`${folder}/.new`, "ten");
      renameSync(`${folder}/.new`, file);
    }),
  ).toBe(true);
  expect(await watcher.sees(() => rmSync(file))).toBe(true);
});

it("sees the folder itself vanish and come back", async () => {
  const folder = configFolder({ a: "x" });
  const watcher = watch(folder);
  expect(await watcher.sees(() => renameSync(folder, `${folder}-away`))).toBe(true);
  expect(await watcher.sees(() => renameSync(`${folder}-away`, folder))).toBe(true);
  expect(await watcher.sees(() => rmSync(folder, { recursive: true }))).toBe(true);
  expect(await watcher.sees(() => mkdirSync(folder))).toBe(true);
});

it("sees through symbolic links, as Kubernetes volumes swap them", async () => {
  const folder = configFolder({});
  for (const version of ["1", "2"]) {
    mkdirSync(path.join(folder, `..${version}`));
    writeFileSync(path.join(folder, `..${version}`, "site"), version);
  }
  symlinkSync("..1", path.join(folder, "..data"));
  symlinkSync("..data/site", path.join(folder, "site"));
  const watcher = watch(folder);
  expect(
    await watcher.sees(() => {
      symlinkSync("..2", path.join(folder, "..tmp"));
      renameSync(path.join(folder, "..tmp"), path.join(folder, "..data"));
    }),
  ).toBe(true);
});

it("looks at extra paths: files that appear, change and vanish", async () => {
  const extra = path.join(temporaryFolder(), "secret");
  const watcher = watch(configFolder({}), { extraPaths: () => [extra, path.dirname(extra)] });
  expect(await watcher.sees(() => writeFileSync(extra, "1"))).toBe(true);
  expect(await watcher.sees(() => appendFileSync(extra, "2"))).toBe(true);
  expect(await watcher.sees(() => rmSync(extra))).toBe(true);
});

it("is silent where nothing changes: touched files, hidden files, FIFOs, folders", async () => {
  const folder = configFolder({ a: "x" });
  execFileSync("mkfifo", [path.join(folder, "fifo")]);
  const watcher = watch(folder);
  utimesSync(path.join(folder, "a"), 1, 1);
  writeFileSync(path.join(folder, "a"), "x");
  writeFileSync(path.join(folder, ".a.swp"), "");
  await delay(300);
  expect(watcher.count()).toBe(0);
});

it("waits until a file is written to its end, but not for ever", async () => {
  const folder = configFolder({ a: "" });
  const file = path.join(folder, "a");
  const patient = watch(folder, { settleMs: 700 });
  const hasty = watch(folder, { settleMs: 700, longestSettleMs: 800 });
  for (let round = 0; round < 200 && hasty.count() === 0; round += 1) {
    appendFileSync(file, "x");
    await delay(30);
  }
  expect(hasty.count()).toBeGreaterThan(0);
  expect(patient.count()).toBe(0);
  expect(await patient.sees(() => undefined)).toBe(true);
});

it("does not let a file that never comes to rest hold back the others", async () => {
  const folder = configFolder({ a: "", noisy: "" });
  const watcher = watch(folder, { settleMs: 50, noisyAfterMs: 200 });
  const noise = setInterval(() => appendFileSync(path.join(folder, "noisy"), "x"), 10);
  onTestFinished(() => clearInterval(noise));
  await delay(400);
  expect(watcher.count()).toBe(0);
  expect(await watcher.sees(() => writeFileSync(path.join(folder, "a"), "1"))).toBe(true);
  expect(await watcher.sees(() => rmSync(path.join(folder, "a")))).toBe(true);
});

it("reports once at first unless told, and ends with its signal", async () => {
  const folder = configFolder({});
  const controller = new AbortController();
  let count = 0;
  watchFolder({ folder, pollMs: 10, settleMs: 5, signal: controller.signal, onChange: () => (count += 1) });
  await vi.waitFor(() => expect(count).toBe(1));
  controller.abort();
  writeFileSync(path.join(folder, "a"), "");
  await delay(100);
  expect(count).toBe(1);
});
