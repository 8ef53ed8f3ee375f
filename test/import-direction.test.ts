import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const ROOT = path.join(import.meta.dirname, "..");
const OXLINT = path.join(ROOT, "node_modules/.bin/oxlint");

/** Imports that `docs/architecture.md` forbids: [importing file, what it imports]. */
const REFUSED: readonly (readonly [string, string])[] = [
  ["src/contracts/job.ts", "../lib/clock.ts"],
  ["src/golang/cron.ts", "../lib/clock.ts"],
  ["src/golang/cron.ts", "../contracts/job.ts"],
  ["src/lib/log.ts", "../state/history.ts"],
  ["src/lib/log.ts", "../golang/bool.ts"],
  ["src/state/history.ts", "../golang/duration.ts"],
  ["src/state/history.ts", "../destinations/index.ts"],
  ["src/destinations/index.ts", "../delivery/fan-out.ts"],
  ["src/destinations/s3/put.ts", "../local/put.ts"],
  ["src/destinations/s3/put.ts", "../index.ts"],
  ["src/destinations/s3/put.ts", "../../state/history.ts"],
  ["src/archive/create.ts", "../delivery/fan-out.ts"],
  ["src/archive/tar/header.ts", "../../retention/policy.ts"],
  ["src/delivery/fan-out.ts", "../archive/create.ts"],
  ["src/retention/policy.ts", "../archive/names.ts"],
  ["src/containers/pause.ts", "../notifications/send.ts"],
  ["src/notifications/send.ts", "../run/status.ts"],
  ["src/run/run.ts", "../daemon/queue.ts"],
  ["src/run/run.ts", "../daemon.ts"],
  ["src/run/run.ts", "../config/load.ts"],
  ["src/config/load.ts", "../run/status.ts"],
  ["src/config/load.ts", "../archive/create.ts"],
  ["src/schedule/scheduler.ts", "../daemon.ts"],
  ["src/daemon.ts", "./run/run.ts"],
  ["src/daemon/queue.ts", "../delivery/fan-out.ts"],
  ["src/daemon/queue.ts", "../cli/list.ts"],
  ["src/cli/list.ts", "../main.ts"],
];

const ALLOWED: readonly (readonly [string, string])[] = [
  ["src/lib/log.ts", "../contracts/log.ts"],
  ["src/lib/log.ts", "./clock.ts"],
  ["src/state/history.ts", "../lib/clock.ts"],
  ["src/destinations/s3/put.ts", "./client.ts"],
  ["src/destinations/s3/put.ts", "../../lib/retry.ts"],
  ["src/destinations/index.ts", "./s3/settings.ts"],
  ["src/archive/create.ts", "../golang/re2.ts"],
  ["src/archive/tar/header.ts", "../walk.ts"],
  ["src/run/run.ts", "../delivery/fan-out.ts"],
  ["src/config/load.ts", "../archive/settings.ts"],
  ["src/config/load.ts", "../destinations/s3/settings.ts"],
  ["src/daemon.ts", "./schedule/scheduler.ts"],
  ["src/daemon/queue.ts", "../config/load.ts"],
  ["src/main.ts", "./cli/list.ts"],
  ["src/archive/create.test.ts", "../delivery/fan-out.ts"],
];

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "lifeboat-"));
  copyFileSync(path.join(ROOT, ".oxlintrc.json"), path.join(folder, ".oxlintrc.json"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Writes a file of one import, lints it, and gives the messages about that import. */
async function lint(file: string, source: string): Promise<string[]> {
  const home = mkdtempSync(path.join(folder, "case-"));
  copyFileSync(path.join(folder, ".oxlintrc.json"), path.join(home, ".oxlintrc.json"));
  mkdirSync(path.dirname(path.join(home, file)), { recursive: true });
  writeFileSync(path.join(home, file), source);
  const output = await new Promise<string>((resolve, reject) => {
    execFile(OXLINT, ["--format", "json", "."], { cwd: home }, (error, stdout, stderr) => {
      // A finding is exit 1; anything else means that the linter itself is broken.
      if (error && error.code !== 1) reject(new Error(`${error.message}\n${stderr}`));
      else resolve(stdout);
    });
  });
  const report = JSON.parse(output) as { diagnostics: { code: string; message: string; help?: string }[] };
  return report.diagnostics
    .filter((finding) => finding.code.includes("no-restricted-imports"))
    .map((finding) => `${finding.message} ${finding.help ?? ""}`);
}

const useOf = (specifier: string): string => `import { x } from "${specifier}";\nexport const y = x;\n`;

describe("the linter enforces the import direction", () => {
  test.each(REFUSED)("%s must not import %s", async (file, specifier) => {
    const messages = await lint(file, useOf(specifier));
    expect(messages).not.toEqual([]);
    expect(messages.join("\n")).toContain("import direction");
  });

  test.each(ALLOWED)("%s may import %s", async (file, specifier) => {
    expect(await lint(file, useOf(specifier))).toEqual([]);
  });

  test("types are no way around it", async () => {
    const source = `import type { X } from "../delivery/fan-out.ts";\nexport const y: X | undefined = undefined;\n`;
    expect(await lint("src/archive/create.ts", source)).not.toEqual([]);
  });
});

/** The linter does not look into `import()`, so the sources are read here. Registration may load lazily, upwards nobody may. */
test("no lazy import leads where an import may not", async () => {
  const sources = readdirSync(path.join(ROOT, "src"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .map((name) => path.join("src", name));
  const wrong: string[] = [];
  for (const file of sources) {
    const text = readFileSync(path.join(ROOT, file), "utf8");
    const lazy = [...text.matchAll(/\bimport\(\s*"(\.[^"]+)"\s*\)/g)].map((match) => match[1] ?? "");
    if (lazy.length === 0) continue;
    const messages = await lint(
      file,
      lazy.map((specifier, at) => `import * as m${at} from "${specifier}";\nexport { m${at} };\n`).join(""),
    );
    if (messages.length > 0) wrong.push(`${file}: ${messages.join(" ")}`);
  }
  expect(wrong).toEqual([]);
});

test("contracts are types only", () => {
  const folderOfContracts = path.join(ROOT, "src/contracts");
  for (const name of readdirSync(folderOfContracts)) {
    const left = stripTypeScriptTypes(readFileSync(path.join(folderOfContracts, name), "utf8"));
    const code = left.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "").replaceAll(/export\s*\{\s*\};?|;/g, "");
    expect(code.trim(), `code left in contracts/${name}`).toBe("");
  }
});
