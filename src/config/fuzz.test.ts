import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import type { Setting } from "../contracts/setting.ts";
import { createRedactor } from "../lib/redact.ts";
import { describeProblems } from "./describe.ts";
import { loadConfig } from "./load.ts";
import { createCatalogue } from "./parts.ts";
import { configAsJson, printConfig } from "./print.ts";
import { firstRunning, mergeReload } from "./reload.ts";
import { deserializeJob, secretsOf, serializeJob } from "./serialize.ts";
import { temporaryFolder } from "./testing.ts";

/** Every piece of every secret holds this word, and nothing else does. */
const MARK = "hunter";
const ROUNDS = 700;

const { settings } = createCatalogue();

/** xorshift32: the same sequence on every machine. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const VALUES = [
  "",
  " ",
  "0",
  "-1",
  "+7",
  "007",
  "99999999999",
  "1e9",
  "true",
  "yes",
  "1h30m",
  "-5s",
  "5",
  "1d",
  "@daily",
  "@every 1s",
  "0 0 5 31 2 ?",
  "* * * * * * *",
  "61 * * * *",
  "gz",
  "GZ",
  "none",
  "memory",
  "error",
  "info",
  "Europe/Berlin",
  "Mars/X",
  "../etc",
  "/etc/passwd",
  ".",
  "..",
  "/",
  "a..b",
  "{{ .Extension }}",
  "{{ printf }}",
  "{{",
  "%Y%",
  "%-d",
  "%",
  "(",
  "(?<n>a)",
  "a{1001}",
  "\\.log$",
  "[[:alpha:]]",
  "(a+)+$",
  "https://x.test",
  "https://",
  "http://[",
  "tcp://h:1",
  "slack://a/b/c",
  "x",
  ",",
  "a,b",
  "/a,/b",
  "/**",
  "-----BEGIN CERTIFICATE-----",
  "-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END CERTIFICATE-----",
  "SHA256:x",
  "500MB",
  "2XB",
  "Hot",
  "hot",
  "$HOME",
  "$NOPE",
  "${NOPE:-x}",
  "${NOPE?x}",
  "$$",
  "\\$x",
  "\u0000",
  "\u001b[31m",
  "ü",
  "\u202e",
  "a b # c",
  "'",
  '"',
  "`id`",
  "$(id)",
  "x".repeat(3000),
  "9".repeat(400),
  "%q".repeat(300),
  "s3,local",
  "ftp",
  "aws:kms",
  "{}",
  "constructor",
  "__proto__",
];

const FORMS = [
  (key: string, value: string) => `${key}=${value}\n`,
  (key: string, value: string) => `${key}='${value}'\n`,
  (key: string, value: string) => `${key}="${value}"\n`,
  (key: string, value: string) => `export ${key} = ${value} # note\n`,
  (key: string, value: string) => `${key}: ${value}\n`,
  (key: string, value: string) => `${key}='${value}\n`,
  (key: string, value: string) => `${key}="${value}" rest\n`,
  (key: string, value: string) => `${key} ${value}\n`,
  (key: string, value: string) => `${key}=${value}\r`,
  (key: string, value: string) => `${key}\n=${value}\n`,
];

const SECRET_GLUE = [
  "-",
  "$",
  "#",
  " #",
  "'",
  '"',
  "\\",
  "@",
  "://",
  "/",
  "\n",
  ",",
  ";",
  "=",
  "${",
  "}",
  "%",
  "%41",
  "`",
  " ",
  "ü",
  "\t",
  "{{",
  "..",
  ": ",
];

it("whatever is in files and environment: it is read to the end, without a throw, a wait, or a secret shown", async () => {
  const random = createRandom(20_261_122);
  const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T;
  const folder = path.join(temporaryFolder(), "config");
  const secretFile = path.join(temporaryFolder(), "secret");
  const plainFile = path.join(temporaryFolder(), "plain");
  const fileFor = (setting: Setting): string =>
    setting.secret === true ? pick([secretFile, secret()]) : pick([plainFile, "x"]);

  const secret = (): string => {
    let text = `${MARK}${random(1000)}`;
    for (let count = random(4); count > 0; count -= 1) text += `${pick(SECRET_GLUE)}${MARK}${random(1000)}`;
    return text;
  };
  const valueFor = (setting: Setting): string => {
    if (setting.secret === true)
      return pick([secret(), secret(), `slack://${MARK}@x`, `{"private_key": "${secret()}"}`]);
    if (setting.kind === "url" && random(3) === 0) return `https://user:${MARK}${random(99)}@x.test/`;
    return pick(VALUES);
  };
  const line = (): string => {
    const setting = pick(settings);
    switch (random(12)) {
      case 0:
        return pick([
          "# comment\n",
          "\n",
          "USERNAME=bob\n",
          "not an assignment\n",
          "=x\n",
          "BACKUP_RETENTION_DAYZ=1\n",
          "\u0000\n",
          "A=${A:-$A}\n",
          "HOME=/x\n",
        ]);
      case 1:
        return `${setting.key}_FILE=${pick([fileFor(setting), fileFor(setting), "/does/not/exist", "/dev/null", "/"])}\n`;
      case 2:
        return setting.secret === true ? `${setting.key.slice(0, -1)}=${MARK}${random(99)}\n` : "";
      default:
        return pick(FORMS)(setting.key, valueFor(setting));
    }
  };
  const fileText = (): Buffer => {
    let text = "";
    for (let count = random(14); count > 0; count -= 1) text += line();
    const bytes = Buffer.from(text);
    // Now and then damaged bytes.
    if (bytes.length > 0 && random(8) === 0) bytes[random(bytes.length)] = random(256);
    return bytes;
  };

  let running: ReturnType<typeof firstRunning> | undefined;
  const startedAt = process.cpuUsage();
  for (let round = 0; round < ROUNDS; round += 1) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    writeFileSync(secretFile, secret());
    writeFileSync(plainFile, pick(VALUES));
    for (let count = random(4); count > 0; count -= 1)
      writeFileSync(path.join(folder, pick(["a.env", "a", "b", "c~", "évil\n", ".x"])), fileText());
    const environment: Record<string, string> = { HOME: "/root" };
    for (let count = random(4); count > 0; count -= 1) {
      const setting = pick(settings);
      if (setting.key !== "CONFIG_DIR")
        environment[pick([setting.key, setting.key, `${setting.key}_FILE`])] = valueFor(setting).replaceAll("\0", "");
    }
    const loaded = await loadConfig({ environment, configDir: folder, ignoreFolder: random(5) === 0 });
    running = running === undefined ? firstRunning(loaded) : mergeReload(running, loaded);

    const problems = describeProblems(loaded.problems);
    const said = JSON.stringify(running.messages);
    const printed = `${printConfig(loaded)}${JSON.stringify(configAsJson(loaded))}`;
    const context = `round ${round}`;
    expect({ context, shown: problems.filter((text) => text.includes(MARK)) }).toEqual({ context, shown: [] });
    expect(said).not.toContain(MARK);
    // A secret's path is no secret, but where the secret itself stands in its place only the redactor can know.
    expect(createRedactor(loaded.secrets)(printed)).not.toContain(MARK);
    expect(printed).not.toMatch(new RegExp(`=[^\\n#]*${MARK}`));
    expect(problems.filter((text) => /\p{Cc}/u.test(text))).toEqual([]);
    for (const job of loaded.jobs) {
      const copy = deserializeJob(JSON.parse(JSON.stringify(serializeJob(job))));
      for (const setting of settings) expect(copy.values.get(setting)).toEqual(job.values.get(setting));
      for (const one of secretsOf(copy)) expect(loaded.secrets.has(one)).toBe(true);
    }
    for (const broken of loaded.broken) expect(broken.problems.some(({ severity }) => severity === "error")).toBe(true);
  }
  expect(cpuSeconds(startedAt)).toBeLessThan(120);
}, 150_000);

/** Seconds of CPU time, which other processes don't add to: what would take minutes is told from a busy machine. */
function cpuSeconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1_000_000;
}

it("values of a megabyte are dealt with quickly", async () => {
  const folder = path.join(temporaryFolder(), "config");
  mkdirSync(folder);
  const values = [
    " ",
    "a",
    "a,",
    "a://",
    "{{ ",
    "1h",
    "-----BEGIN CERTIFICATE-----",
    "AccountKey=",
    "/x,",
    "%",
    "1,",
  ].map((piece) => piece.repeat(Math.floor(900_000 / piece.length)));
  // One of each sort is enough: what reads a value depends on nothing else.
  const sorts = new Map(settings.map((setting) => [`${setting.kind} ${setting.secret}`, setting]));
  for (const value of values) {
    for (const setting of sorts.values()) {
      const name = `${setting.key}.env`;
      writeFileSync(path.join(folder, name), `${setting.key}='${value}'\n`);
      const startedAt = process.cpuUsage();
      const loaded = await loadConfig({ environment: {}, configDir: folder });
      printConfig(loaded);
      expect(cpuSeconds(startedAt)).toBeLessThan(10);
      rmSync(path.join(folder, name));
    }
  }
}, 300_000);
