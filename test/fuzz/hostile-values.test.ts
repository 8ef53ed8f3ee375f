import { createLogTail } from "../../src/lib/log-tail.ts";
/**
 * No value of any variable makes a run remove or overwrite what it did not create, print a secret or a stack trace, or
 * hang. Seeded: `FUZZ_SEED` and `FUZZ_CASES` repeat or widen it.
 */
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeProblems } from "../../src/config/describe.ts";
import { loadConfig } from "../../src/config/load.ts";
import { PARTS } from "../../src/config/parts.ts";
import type { Log } from "../../src/contracts/log.ts";
import type { Setting } from "../../src/contracts/setting.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { createRedactor } from "../../src/lib/redact.ts";
import { runJob } from "../../src/run/run.ts";
import { createRandom, type Random } from "./random.ts";

const CASES = Number(process.env["FUZZ_CASES"] ?? 2000);
const SEED = Number(process.env["FUZZ_SEED"] ?? 20261122);
const SECRET = "hunter2-Zq9!x";

let root: string;
let bystanders: Map<string, string>;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "lifeboat-fuzz-"));
  for (const folder of ["backup/html", "archive/folder.tar.gz", "config", "outside", "state"])
    mkdirSync(join(root, folder), { recursive: true });
  for (const file of [
    "backup/html/index.html",
    "backup/.hidden",
    "outside/precious.tar.gz",
    "archive/foreign.txt",
    "archive/folder.tar.gz/in",
    "archive/.lifeboat.txt",
  ]) {
    writeFileSync(join(root, file), `content of ${file}`);
  }
  symlinkSync(join(root, "outside/precious.tar.gz"), join(root, "archive/link.tar.gz"));
  symlinkSync(join(root, "outside"), join(root, "archive/away"));
  bystanders = look(root);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Every path below with what it is and holds. */
function look(folder: string, below = "", seen = new Map<string, string>()): Map<string, string> {
  for (const name of readdirSync(join(folder, below))) {
    const path = join(below, name);
    const stat = lstatSync(join(folder, path));
    if (stat.isDirectory()) {
      seen.set(path, "folder");
      look(folder, path, seen);
    } else
      seen.set(
        path,
        stat.isSymbolicLink() ? readlinkSync(join(folder, path)) : readFileSync(join(folder, path), "latin1"),
      );
  }
  return seen;
}

const ODD_TEXTS = [
  "",
  " ",
  ".",
  "..",
  "../../outside/precious.tar.gz",
  "/",
  "/etc/passwd",
  "a/../../outside/x",
  "away/x.tar.gz",
  "folder.tar.gz",
  "link.tar.gz",
  "foreign.txt",
  "%Y/%m",
  "%",
  "%%",
  "{{ .Extension }}",
  "{{ .Nope }}",
  "{{",
  "-rf",
  "--help",
  "\u0000",
  "a\nb",
  "\u001b[2J",
  "ünï ☂",
  "x".repeat(300),
  "*",
  "**",
  "[a",
  "(a+)+$",
  "\\Q",
  "a{1001}",
  "0",
  "-1",
  "1e9",
  "99999999999",
  "1h30m",
  "-5m",
  "true",
  "yes",
  "gz",
  "zst",
  "none",
  "copy",
  "link",
  "* * * * *",
  "@daily",
  "@every 1s",
  "0 0 5 31 2 ?",
  "Europe/Berlin",
  "Mars/Phobos",
  "s3,local",
  "http://u:p@host/",
  "sha256:00",
  "$HOME",
  "${X:-y}",
  "`id`",
  "$(id)",
  ".lifeboat",
  ".lifeboat/x",
  ".x.partial",
  "history.db",
  "con\u202etxt.zg",
];

function valueFor(setting: Setting, random: Random): string {
  const roll = random.below(10);
  if (setting.key === "BACKUP_SOURCES")
    return random.pick([
      join(root, "backup"),
      join(root, "backup/html"),
      join(root, "archive/away"),
      join(root, "nothing"),
      "relative",
      join(root, "outside"),
    ]);
  if (setting.key === "BACKUP_ARCHIVE")
    return random.pick([join(root, "archive"), join(root, "archive/foreign.txt"), join(root, "nothing"), ""]);
  if (setting.key.endsWith("_DIR")) return join(root, "state");
  if (roll < 3 && setting.default !== undefined) return setting.default;
  if (roll < 5 && setting.allowed !== undefined) return random.pick(setting.allowed);
  if (roll < 6) return random.text(20);
  return random.pick(ODD_TEXTS);
}

/** Written so that the env-file grammar gives back the value itself. */
function quoted(value: string): string {
  return value.includes("'") ? `"${value.replaceAll(/["\\$]/g, "\\$&")}"` : `'${value}'`;
}

it(`survives ${CASES} configurations of hostile values`, async () => {
  const random = createRandom(SEED);
  const settings = PARTS.flatMap((part) => part.settings);
  const harmless = settings.filter(({ key }) => /^(BACKUP_|TZ|GZIP_|HISTORY_|LOCK_TIMEOUT)/.test(key));
  let ran = 0;
  for (let at = 0; at < CASES; at += 1) {
    const chosen = new Map<string, string>([
      ["BACKUP_SOURCES", join(root, "backup")],
      ["BACKUP_ARCHIVE", join(root, "archive")],
    ]);
    // Mostly settings of parts that are built, so that many configurations reach a run.
    const pool = random.below(4) === 0 ? settings : harmless;
    for (let count = random.below(4); count >= 0; count -= 1) {
      const setting = random.pick(pool);
      chosen.set(setting.key, setting.secret === true ? `${SECRET}${random.text(4)}` : valueFor(setting, random));
    }
    chosen.set("LOCK_TIMEOUT", "0s");
    chosen.set("BACKUP_TIMEOUT", "10s");
    const file = [...chosen].map(([key, value]) => `${key}=${quoted(value)}`).join("\n");
    writeFileSync(join(root, "config", "job.env"), file);
    const said: string[] = [];
    const why = `seed ${SEED}, case ${at}:\n${file}`;
    const loaded = await loadConfig({ environment: { CONFIG_DIR: join(root, "config") } });
    said.push(...describeProblems(loaded.problems));
    for (const job of loaded.jobs) {
      ran += 1;
      const { report } = await runJob({
        job,
        trigger: "manual",
        firedAtMs: Date.parse("2026-03-01T00:00:00Z") + at * 1000,
        options: {
          stateDir: join(root, "state"),
          lockFile: join(root, "run.lock"),
          logFormat: "text",
          logLevel: "debug",
          templateFolders: [],
        },
        host: "fuzz",
        version: "0",
        clock: systemClock,
        log: collectingLog(said),
        redact: createRedactor(loaded.secrets),
        signal: AbortSignal.timeout(20_000),
        terminal: undefined,
        alreadySaid: new Set(),
        logTail: createLogTail(),
        settings: [],
      });
      said.push(JSON.stringify(report));
      expect(report.status, why).not.toBe("running");
    }
    const text = said.join("\n");
    expect(text, why).not.toContain(SECRET);
    expect(text, why).not.toMatch(/\n\s+at .*:\d+:\d+/);
    const now = look(root);
    for (const [path, content] of bystanders) expect(now.get(path), `${path} changed, ${why}`).toBe(content);
    const allowed = /^(config\/job\.env|state(\/|$)|archive(\/|$))/;
    for (const path of now.keys())
      expect(bystanders.has(path) || allowed.test(path), `${path} appeared, ${why}`).toBe(true);
    expect(
      [...now.keys()].filter((path) => path.endsWith(".partial")),
      why,
    ).toEqual([]);
    tidy(now);
  }
  // A fuzz whose configurations are all refused shows little.
  expect(ran).toBeGreaterThan(CASES / 5);
}, 600_000);

/** Away with what the case made, so that the next looks at a small tree. */
function tidy(now: ReadonlyMap<string, string>): void {
  for (const path of now.keys())
    if (!bystanders.has(path) && path.startsWith("archive/"))
      rmSync(join(root, path), { recursive: true, force: true });
}

function collectingLog(lines: string[]): Log {
  const add = (text: string, fields?: object): void => void lines.push(`${text} ${JSON.stringify(fields ?? {})}`);
  const log: Log = { debug: add, info: add, warn: add, error: add, with: () => log };
  return log;
}
