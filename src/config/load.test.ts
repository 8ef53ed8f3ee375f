import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { BACKUP_FILENAME, BACKUP_SOURCES } from "../archive/settings.ts";
import { BACKUP_ARCHIVE } from "../destinations/local/settings.ts";
import { BACKUP_RETENTION_DAYS } from "../retention/settings.ts";
import { LOCK_TIMEOUT } from "../run/settings.ts";
import { describeProblems } from "./describe.ts";
import { loadConfig } from "./load.ts";
import { configFolder, loadEnvironment, loadFiles, short, temporaryFolder } from "./testing.ts";

/** Who may read anything. */
const isRoot = process.getuid?.() === 0;

describe("where jobs come from", () => {
  it("makes a job of each regular file, sorted by bytes, named without .env", async () => {
    const loaded = await loadFiles({ "b.env": "", a: "", "Z.conf": "", "ä.env": "", ".hidden": "x", "c.env.env": "" });
    expect(loaded).toMatchObject({ source: "folder", broken: [], complete: true });
    expect(loaded.jobs.map(({ name }) => name)).toEqual(["Z.conf", "a", "b", "c.env", "ä"]);
  });

  it("passes over folders, hidden files and editors' leftovers, and follows the links of Kubernetes volumes", async () => {
    const folder = configFolder({ "x.env~": "", "#x#": "", "x.swp": "", "x.bak": "", "4913": "", ".x.swp": "" });
    mkdirSync(path.join(folder, "..data"));
    mkdirSync(path.join(folder, "notifications.d"));
    writeFileSync(path.join(folder, "..data", "site.env"), "BACKUP_RETENTION_DAYS=3");
    symlinkSync("..data/site.env", path.join(folder, "site.env"));
    const loaded = await loadConfig({ environment: {}, configDir: folder });
    expect(loaded.jobs.map(({ name }) => name)).toEqual(["site"]);
    expect(loaded.problems.every(({ severity }) => severity === "note")).toBe(true);
  });

  it("refuses a name that could not be shown, and runs the other jobs", async () => {
    const loaded = await loadFiles({ "a\u001b[1m.env": "", "b\nc.env": "", "d\u202e.env": "", "e f$.env": "" });
    expect(loaded.jobs.map(({ name }) => name)).toEqual(["e f$"]);
    const refused = loaded.problems.filter(({ severity }) => severity === "error");
    expect(refused.map(({ message }) => message.includes("control character"))).toEqual([true, true, true]);
  });

  it("lets a file's value win over the environment's, and falls back to it", async () => {
    const {
      jobs: [job],
    } = await loadFiles(
      { a: "BACKUP_RETENTION_DAYS=3\n" },
      { BACKUP_RETENTION_DAYS: "9", LOCK_TIMEOUT: "5m", HOME: "/h" },
    );
    expect(job?.values.get(BACKUP_RETENTION_DAYS)).toBe(3);
    expect(job?.values.get(LOCK_TIMEOUT)).toBe(300_000);
    expect(job?.environment).toEqual({ BACKUP_RETENTION_DAYS: "3", LOCK_TIMEOUT: "5m", HOME: "/h" });
  });

  it("says that a file called .env is hidden, and so no job", async () => {
    const loaded = await loadFiles({ ".env": "X=1", ".off.env": "", ".x.swp": "" });
    expect(loaded.problems.map(short)).toEqual([
      "error the config folder holds no job: put a file with settings into it",
      'warning is not a job: its name begins with a dot; give it a name, such as "site.env"',
    ]);
  });

  it("takes the environment as the job called default where there is no folder", async () => {
    const loaded = await loadEnvironment({ BACKUP_SOURCES: "/a,/b" });
    expect(loaded).toMatchObject({ source: "environment", problems: [] });
    expect(loaded.jobs[0]).toMatchObject({ name: "default", origin: { kind: "environment" } });
    expect(loaded.jobs[0]?.values.get(BACKUP_SOURCES)).toEqual(["/a", "/b"]);
  });

  it("says that a variable is set only further down", async () => {
    const { problems } = await loadFiles({ a: "BACKUP_FILENAME=$NAME-%Y\nBACKUP_PRUNING_PREFIX=$NAME-\nNAME=bob\n" });
    expect(problems.map(short)).toEqual([
      "warning 1 BACKUP_FILENAME: $NAME became nothing: line 3 sets it, which comes too late; move that line up",
      "warning 2 BACKUP_PRUNING_PREFIX: $NAME became nothing: line 3 sets it, which comes too late; move that line up",
    ]);
  });

  it.each([
    ["/a /b", "several sources are separated by commas"],
    ["/a:/b", "several sources are separated by commas"],
    ["/a; /b", "several sources are separated by commas"],
    ["/a/*", "no globs"],
    ["/a,/b c,/d:e", undefined],
  ])("BACKUP_SOURCES=%s", async (text, said) => {
    const { problems } = await loadEnvironment({ BACKUP_SOURCES: text });
    expect(problems.map(short)).toEqual(
      said === undefined ? [] : [expect.stringMatching(`^warning BACKUP_SOURCES: .*${said}`)],
    );
  });

  it("says that quotes in the environment are part of the value", async () => {
    const { problems } = await loadConfig({
      environment: {
        BACKUP_FILENAME: '"backup-%Y.{{ .Extension }}"',
        BACKUP_CRON_EXPRESSION: "'@daily'",
        SSH_PASSWORD: "'hunter2'",
        BACKUP_PRUNING_PREFIX: '"',
        BACKUP_EXCLUDE_REGEXP: '"a"|"b"',
      },
      defaultFolders: [],
    });
    const quoted = problems.filter(({ message }) => message.includes("quotes"));
    expect(quoted.map(({ severity, key }) => `${severity} ${key}`)).toEqual([
      "warning BACKUP_CRON_EXPRESSION",
      "warning BACKUP_FILENAME",
      "warning SSH_PASSWORD",
    ]);
    expect(JSON.stringify(problems)).not.toContain("hunter2");
  });

  it("ignores the folder when told", async () => {
    const loaded = await loadConfig({ environment: { CONFIG_DIR: configFolder({ a: "x" }) }, ignoreFolder: true });
    expect(loaded.jobs.map(({ name }) => name)).toEqual(["default"]);
  });

  it("takes the first default folder that has jobs, and says which one is ignored", async () => {
    const [empty, first, second] = [configFolder({}), configFolder({ a: "" }), configFolder({ b: "" })];
    const loaded = await loadConfig({ environment: {}, defaultFolders: ["/does/not/exist", empty, first, second] });
    expect(loaded.jobs.map(({ name }) => name)).toEqual(["a"]);
    expect(describeProblems(loaded.problems)).toEqual([`${second}: is ignored: the jobs are read from ${first}`]);
  });

  it("falls back to an environment that describes a job when the default folder is empty", async () => {
    const empty = configFolder({});
    const loaded = await loadConfig({ environment: { BACKUP_CRON_EXPRESSION: "@hourly" }, defaultFolders: [empty] });
    expect(loaded).toMatchObject({ source: "environment", jobs: [{ name: "default" }] });
    expect(describeProblems(loaded.problems)).toEqual([
      `${empty}: holds no job, so the process environment is the job`,
    ]);
    const silent = await loadConfig({ environment: { BACKUP_FILENAME: "x" }, defaultFolders: [empty] });
    expect(silent).toMatchObject({ source: "folder", jobs: [] });
    expect(silent.problems.map(short)).toEqual([
      "error the config folder holds no job: put a file with settings into it",
    ]);
  });

  it("does not take the environment's job for a default folder that was in use and is gone", async () => {
    const folder = configFolder({ a: "" });
    const options = { environment: { BACKUP_CRON_EXPRESSION: "@daily" }, defaultFolders: [folder] };
    const { folder: used } = await loadConfig(options);
    rmSync(folder, { recursive: true });
    const gone = await loadConfig({ ...options, ...(used === undefined ? {} : { folderInUse: used }) });
    expect(gone).toMatchObject({ source: "folder", folder, jobs: [], complete: false });
    expect(gone.problems.map(short)).toEqual(["error the config folder can't be read: it does not exist"]);
    expect(gone.watched).toContain(folder);
    expect(await loadConfig(options)).toMatchObject({ source: "environment", jobs: [{ name: "default" }] });
  });

  it("says what is wrong with a named folder, and does not look elsewhere", async () => {
    const file = path.join(configFolder({ a: "" }), "a");
    for (const [folder, reason] of [
      ["/does/not/exist", "it does not exist"],
      [file, "it is not a folder"],
    ] as const) {
      const loaded = await loadConfig({
        environment: { CONFIG_DIR: folder, BACKUP_CRON_EXPRESSION: "@daily" },
        defaultFolders: [],
      });
      expect(loaded).toMatchObject({ source: "folder", jobs: [], complete: false });
      expect(loaded.problems.map(short)).toEqual([`error the config folder can't be read: ${reason}`]);
    }
    const empty = await loadConfig({
      environment: { CONFIG_DIR: configFolder({}), BACKUP_CRON_EXPRESSION: "@daily" },
      defaultFolders: [],
    });
    expect(empty).toMatchObject({ source: "folder", jobs: [] });
  });

  it("refuses two files of one job name", async () => {
    const loaded = await loadFiles({ "a.env": "", a: "", b: "" });
    expect(loaded.jobs.map(({ name }) => name)).toEqual(["b"]);
    expect(loaded.broken.map(({ name }) => name)).toEqual(["a", "a"]);
    expect(loaded.problems.filter(({ message }) => message.includes("same job name"))).toHaveLength(2);
  });

  it("reports names with control characters on one line", async () => {
    const loaded = await loadFiles({ "evil\n\u001b[31m.env": "BACKUP_RETENTION_DAYS=x" });
    for (const line of describeProblems(loaded.problems)) expect(line).not.toMatch(/\p{Cc}/u);
    expect(loaded).toMatchObject({ jobs: [], broken: [] });
  });
});

describe("files that are no files", () => {
  it("never waits for a FIFO, as a config file or as a KEY_FILE", async () => {
    const folder = configFolder({ "a.env": "AWS_SECRET_ACCESS_KEY_FILE=FIFO\nWEBDAV_CA_CERT=FIFO\n" });
    const fifo = path.join(folder, "fifo");
    execFileSync("mkfifo", [fifo]);
    writeFileSync(path.join(folder, "a.env"), `AWS_SECRET_ACCESS_KEY_FILE=${fifo}\nWEBDAV_CA_CERT=${fifo}\n`);
    const loaded = await loadConfig({ environment: {}, configDir: folder });
    expect(loaded.problems.map(short)).toEqual([
      "error no file of the config folder is usable",
      "error 1 AWS_SECRET_ACCESS_KEY_FILE: can't read the file that it names: it is not a regular file",
      "error 2 WEBDAV_CA_CERT: must be PEM text or the path of a PEM file, but the file can't be used: it is not a regular file",
      "warning is not a job: it is not a regular file",
    ]);
  });

  it("reports what can't be read and goes on with the others", async () => {
    const folder = configFolder({ good: "", huge: "A=".padEnd(1024 * 1024 + 1, "x"), locked: "" });
    symlinkSync("nowhere", path.join(folder, "dangling"));
    symlinkSync("circle", path.join(folder, "circle"));
    chmodSync(path.join(folder, "locked"), 0);
    const loaded = await loadConfig({ environment: {}, configDir: folder });
    const broken = new Map(loaded.broken.map(({ name, problems }) => [name, problems.map(short)]));
    expect(broken.get("dangling")).toEqual(["error the file can't be read: it does not exist"]);
    expect(broken.get("circle")).toEqual(["error the file can't be read: its symbolic links lead in a circle"]);
    expect(broken.get("huge")).toEqual(["error the file can't be read: it is larger than 1 MiB"]);
    expect(broken.get("locked")).toEqual(isRoot ? undefined : ["error the file can't be read: permission denied"]);
    expect(loaded.jobs.map(({ name }) => name)).toContain("good");
  });

  it("loads a folder of a thousand files", async () => {
    const files = Object.fromEntries(
      Array.from({ length: 1000 }, (_, index) => [
        `site-${index}.env`,
        `BACKUP_FILENAME=site-${index}-%Y\nBACKUP_ARCHIVE=/a\n`,
      ]),
    );
    const loaded = await loadFiles(files, { AWS_SECRET_ACCESS_KEY: "hunter2hunter2" });
    expect(loaded.jobs).toHaveLength(1000);
    expect(loaded.problems).toEqual([]);
  }, 30_000);
});

describe("what is wrong is said at once", () => {
  it("reports all of a file, with line and key", async () => {
    const loaded = await loadFiles({
      "site.env":
        "BACKUP_RETENTION_DAY=7\nBACKUP_CRON_EXPRESSION=61 * * * *\nno assignment\nBACKUP_FILENAME=\nTZ=Mars/X\nLOCK_TIMEOUT=\nSTATE_DIR=/x\nBACKUP_EXCLUDE_REGEXP=(\n",
    });
    const found = loaded.problems.map(short);
    expect(found).toEqual([
      "error no file of the config folder is usable",
      "warning 1 BACKUP_RETENTION_DAY: is not a setting and is ignored; did you mean BACKUP_RETENTION_DAYS?",
      expect.stringMatching(/^error 2 BACKUP_CRON_EXPRESSION: is not a schedule: .*61/),
      expect.stringMatching(/^error 3 /),
      "error 4 BACKUP_FILENAME: must not be empty",
      'error 5 TZ: is not a known time zone; write it as in Europe/Berlin (it is "Mars/X")',
      "note 6 LOCK_TIMEOUT: is empty, so its default (60m) applies",
      expect.stringMatching(/^warning 7 STATE_DIR: is ignored here/),
      expect.stringMatching(/^error 8 BACKUP_EXCLUDE_REGEXP: is not a regular expression/),
    ]);
    expect(loaded.broken[0]?.problems).toHaveLength(8);
  });

  it("reports a bad variable of the environment once, however many files fall back to it", async () => {
    const loaded = await loadFiles(
      { a: "", b: "", c: "LOCK_TIMEOUT=1m" },
      { LOCK_TIMEOUT: "soon", BACKUP_RETENTION_DAYZ: "1" },
    );
    expect(loaded.jobs.map(({ name }) => name)).toEqual(["c"]);
    expect(loaded.broken).toHaveLength(2);
    expect(describeProblems(loaded.problems).filter((line) => line.startsWith("environment"))).toEqual([
      'environment: LOCK_TIMEOUT: must be a duration with units, such as 30s, 10m or 1h30m (it is "soon")',
      "environment: BACKUP_RETENTION_DAYZ: is not a setting and is ignored; did you mean BACKUP_RETENTION_DAYS?",
    ]);
  });

  it("takes empty values for the default, an empty BACKUP_ARCHIVE for none", async () => {
    const {
      jobs: [job],
      problems,
    } = await loadFiles({ a: "BACKUP_ARCHIVE=\nBACKUP_RETENTION_DAYS=\nBACKUP_PRUNING_PREFIX=\n" });
    expect(job?.values.get(BACKUP_ARCHIVE)).toBe("");
    expect(job?.values.get(BACKUP_RETENTION_DAYS)).toBe(-1);
    expect(problems.map(short)).toEqual([
      expect.stringMatching(/^warning 1 BACKUP_ARCHIVE: is empty and no other destination/),
      "note 2 BACKUP_RETENTION_DAYS: is empty, so its default (-1) applies",
      "note 3 BACKUP_PRUNING_PREFIX: is empty, so it counts as not set",
    ]);
  });

  it.each([
    ["BACKUP_SOURCES=", "BACKUP_SOURCES: must not be empty"],
    ["BACKUP_SOURCES=backup", "BACKUP_SOURCES: must be an absolute path"],
    ["BACKUP_ARCHIVE=archive", "BACKUP_ARCHIVE: must be an absolute path"],
    ["BACKUP_COMPRESSION=gzip", "BACKUP_COMPRESSION: must be one of gz, zst, none"],
    ["NOTIFICATION_LEVEL=warning", "NOTIFICATION_LEVEL: must be one of error, info"],
    ["AZURE_STORAGE_ACCESS_TIER=hot", "AZURE_STORAGE_ACCESS_TIER: must be one of Archive, Cold, Cool, Hot"],
    ["AWS_PART_SIZE=4", "AWS_PART_SIZE: must be from 5 to 5120"],
    ["BACKUP_LATEST_SYMLINK=../x", "BACKUP_LATEST_SYMLINK: must be a name inside BACKUP_ARCHIVE"],
    ["BACKUP_SKIP_BACKENDS_FROM_PRUNE=S3,ftp", "BACKUP_SKIP_BACKENDS_FROM_PRUNE: allowed are s3"],
    ["SSH_PORT=99999", "SSH_PORT: must be from 1 to 65535"],
    ["BACKUP_MIN_SIZE_PERCENT=101", "BACKUP_MIN_SIZE_PERCENT: must be from 0 to 100"],
    ["AWS_ENDPOINT=https://x.test", "AWS_ENDPOINT: must be a host name without a scheme"],
    ["AZURE_STORAGE_ENDPOINT={{ .Nope }}", "AZURE_STORAGE_ENDPOINT: only {{ .AccountName }}"],
    ["SSH_HOST_KEY_FINGERPRINT=MD5:aa", "SSH_HOST_KEY_FINGERPRINT: must be SHA256:"],
    ["GOOGLE_DRIVE_CREDENTIALS_JSON=hunter2", "GOOGLE_DRIVE_CREDENTIALS_JSON: must be a JSON object"],
    ["AGE_PUBLIC_KEYS=AGE-SECRET-KEY-1ABC", "AGE_PUBLIC_KEYS: every recipient must begin with age1 or ssh-"],
  ])("%s", async (line, problem) => {
    const loaded = await loadFiles({ a: `${line}\n` });
    const lines = loaded.broken[0]?.problems.map(({ key, message }) => `${key}: ${message}`) ?? [];
    expect(lines.join("\n")).toContain(problem);
  });

  it.each([
    "BACKUP_JITTER=-5m",
    "BACKUP_PRUNING_LEEWAY=-1m",
    "GZIP_PARALLELISM=0",
    "BACKUP_RETENTION_DAYS=+7",
    "BACKUP_CRON_EXPRESSION=0 0 5 31 2 ?",
    "AWS_PART_SIZE=0",
    "TZ=:UTC",
    "BACKUP_SKIP_BACKENDS_FROM_PRUNE=S3,Local",
    "BACKUP_FILENAME='a b'",
  ])("%s is fine", async (line) => expect((await loadFiles({ a: `${line}\n` })).problems).toEqual([]));
});

it("warns of jobs that would replace each other's archives", async () => {
  const loaded = await loadFiles({
    a: "BACKUP_FILENAME=x-%Y%m%d\nBACKUP_ARCHIVE=/archive/",
    b: "BACKUP_FILENAME=sub/x-%Y%m%d",
    c: "BACKUP_FILENAME=y-%Y%m%d",
    d: "BACKUP_FILENAME=x-%Y%m%d\nBACKUP_ARCHIVE=/other",
  });
  expect(loaded.jobs).toHaveLength(4);
  expect(loaded.problems.map(short)).toEqual([
    "warning 1 BACKUP_FILENAME: the jobs a, b store archives under the same names in the same folder; give each its own names or its own folder",
  ]);
});

it("expands names with the file's own variables", async () => {
  const {
    jobs: [job],
    problems,
  } = await loadFiles({ a: "SITE=blog\nBACKUP_FILENAME_EXPAND=true\nBACKUP_FILENAME='$SITE-%Y'\n" });
  expect(problems).toEqual([]);
  expect(job?.values.get(BACKUP_FILENAME)).toBe("$SITE-%Y");
  expect((await loadFiles({ a: "SITE=..\nBACKUP_FILENAME_EXPAND=true\nBACKUP_FILENAME='$SITE-%Y'\n" })).jobs).toEqual(
    [],
  );
});

it("works without the right to look into the folder", async () => {
  const folder = path.join(temporaryFolder(), "config");
  mkdirSync(folder, { mode: 0 });
  const loaded = await loadConfig({ environment: {}, defaultFolders: [folder] });
  const problem = isRoot
    ? "error the config folder holds no job: put a file with settings into it"
    : "error the config folder can't be read: permission denied";
  expect(loaded.problems.map(short)).toEqual([problem]);
  expect(loaded.jobs).toEqual([]);
});
