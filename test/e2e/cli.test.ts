import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { commands } from "../../src/cli/index.ts";
import { Sandbox } from "./sandbox.ts";

let box: Sandbox;
beforeEach(() => {
  box = new Sandbox();
});
afterEach(() => box.dispose());

const MAIN = join(import.meta.dirname, "../../src/main.ts");
const SECRET = "hunter2-Zq9x";

describe("every command", () => {
  it.each([...commands.keys()])("%s explains itself and refuses unknown options", async (name) => {
    const command = await commands.get(name)?.load();
    const help = box.run([name, "--help"]);
    expect(help.status).toBe(0);
    expect(help.stdout).toContain(`usage: lifeboat ${command?.usage ?? "?"}`);
    for (const option of Object.keys(command?.options ?? {})) expect(help.stdout).toContain(`--${option}`);
    const wrong = box.run([name, "--no-such-option"]);
    expect(wrong.status).toBe(2);
    expect(wrong.stderr).toContain("--no-such-option");
    expect(existsSync(box.state)).toBe(false);
  });

  it("is listed in the general help", () => {
    const { stdout } = box.run(["--help"]);
    for (const name of commands.keys()) expect(stdout).toContain(`  ${name}`);
  });
});

describe("wrong use", () => {
  it.each([
    [[], "usage"],
    [["frobnicate"], "unknown command"],
    [["help", "frobnicate"], "unknown command"],
    [["show"], "an argument is missing"],
    [["restore", "latest"], "--to"],
    [["history", "--limit", "none"], "whole number"],
    [["run", "--json=maybe"], "json"],
    [["prune", "--json"], "--json needs --dry-run"],
    [["--as=backup", "-foreground=maybe"], 'invalid boolean value "maybe" for -foreground'],
    [["--as=backup", "-profile"], "flag needs an argument: -profile"],
    [["--as=backup", "print-config", "site"], "print-config takes no arguments"],
  ])("%j", (args, said) => {
    const { status, stderr } = box.run(args);
    expect(status).toBe(2);
    expect(stderr).toContain(said);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});

describe("secrets", () => {
  it("are shown by no command, wherever they come from", () => {
    writeFileSync(join(box.root, "token"), `${SECRET}-file\n`);
    box.job(
      "site.env",
      `AWS_SECRET_ACCESS_KEY='${SECRET}'`,
      `DROPBOX_REFRESH_TOKEN_FILE=${box.root}/token`,
      `NOTIFICATION_LEVEL=info`,
      `BACKUP_FILENAME=site-${SECRET}.tar.gz`,
      "LOG_LEVEL=debug",
    );
    const environment = { SSH_PASSWORD: `${SECRET}-env`, LOG_LEVEL: "debug" };
    for (const args of [
      ["run"],
      ["print-config"],
      ["print-config", "--json"],
      ["check"],
      ["check", "--json"],
      ["status", "--json"],
      ["history", "--json"],
      ["list"],
      ["prune", "--dry-run"],
    ]) {
      const { stdout, stderr } = box.run(args, environment);
      expect(stdout + stderr, args.join(" ")).not.toContain(SECRET);
    }
  });

  it("of a broken file are shown by no command either", () => {
    writeFileSync(
      join(box.config, "site.env"),
      `AWS_SECRET_ACCESS_KEY="${SECRET}\nBACKUP_RETENTION_DAYS=x\nexport ${SECRET}\nSSH_PASSWORD=${SECRET}$\{X^^}\n`,
    );
    for (const args of [["run"], ["print-config"], ["check"], ["status"]]) {
      const { status, stdout, stderr } = box.run(args);
      expect(stdout + stderr, args.join(" ")).not.toContain(SECRET);
      expect(status, args.join(" ")).toBe(5);
    }
  });
});

describe("print-config", () => {
  it("is not passed over by the commands that look for archives and runs", () => {
    const asked = [
      ["list"],
      ["list", "--json"],
      ["show", "latest"],
      ["get", "latest"],
      ["restore", "latest", "--to", "x"],
      ["status"],
    ];
    rmSync(box.config, { recursive: true });
    for (const args of asked) {
      const { status, stdout, stderr } = box.run(args);
      expect([args, status]).toEqual([args, 5]);
      expect(stderr).toContain("the config folder can't be read: it does not exist");
      expect(stdout).not.toContain("no archives");
    }
    expect(box.run(["history"]).stderr).toContain("the config folder can't be read");

    mkdirSync(box.config);
    box.job("bad.env", "LOCK_TIMEOUT=60");
    for (const args of asked) {
      const { status, stderr } = box.run(args);
      expect([args, status]).toEqual([args, 5]);
      if (args[0] !== "status") expect(stderr).toContain("bad.env:3: LOCK_TIMEOUT");
    }

    box.job("good.env", "BACKUP_FILENAME=good-%Y.{{ .Extension }}");
    expect(box.run(["run", "good"]).status).toBe(0);
    const list = box.run(["list"]);
    expect(list.status).toBe(5);
    expect(list.stdout).toContain("good-");
    expect(list.stderr).toContain("not listed: job bad: its configuration has errors (see lifeboat check)");
    expect(box.run(["list", "good"]).status).toBe(0);
    expect(box.run(["show", "latest"]).status).toBe(0);
    expect(box.run(["show", "nothing"]).stderr).toContain("job bad: its configuration has errors");
    expect(box.run(["prune"]).status).toBe(5);
  });

  it("tells where each value comes from", () => {
    box.job("site.env", "BACKUP_RETENTION_DAYS=7");
    const { status, stdout } = box.run(["print-config"], { BACKUP_COMPRESSION: "zst" });
    expect(status).toBe(0);
    expect(stdout).toMatch(/BACKUP_RETENTION_DAYS=7 +# .*site\.env:3/);
    expect(stdout).toMatch(/BACKUP_COMPRESSION=zst +# environment/);
    expect(stdout).toMatch(/BACKUP_HARDLINKS=copy +# default/);
  });

  it("names every problem with file, line and key, and ends with 5", () => {
    box.job("site.env", "BACKUP_RETENTION_DAYS=seven", "BACKUP_JITTER=1 day", "BACKUP_CRON_EXPRESSON=@daily");
    const { status, stderr } = box.run(["print-config"]);
    expect(status).toBe(5);
    expect(stderr).toMatch(/site\.env:3: BACKUP_RETENTION_DAYS: /);
    expect(stderr).toMatch(/site\.env:4: BACKUP_JITTER: /);
    expect(stderr).toMatch(/site\.env:5: .*BACKUP_CRON_EXPRESSION/);
  });
});

describe("backup, as the image that is replaced has it", () => {
  const environment = (): Record<string, string> => ({
    BACKUP_SOURCES: box.source,
    BACKUP_ARCHIVE: box.archive,
    BACKUP_FILENAME: "env.tar.gz",
  });

  it("runs the environment alone, whatever files there are", () => {
    box.job("site.env", "BACKUP_FILENAME=file.tar.gz");
    expect(box.run(["--as=backup"], environment()).status).toBe(0);
    expect(box.archives()).toEqual(["env.tar.gz"]);
  });

  it("does not look at the schedule, which only the daemon needs", () => {
    expect(box.run(["--as=backup"], { ...environment(), BACKUP_CRON_EXPRESSION: "@reboot" }).status).toBe(0);
    expect(
      box.run(["--as=backup", "-foreground"], { ...environment(), CONFIG_DIR: "", BACKUP_CRON_EXPRESSION: "@reboot" })
        .status,
    ).toBe(5);
  });

  it("prints the configuration of the folder", () => {
    box.job("site.env");
    const { status, stdout } = box.run(["--as=backup", "print-config"]);
    expect(status).toBe(0);
    expect(stdout).toContain("site.env");
  });

  it.each([
    [["-h"], 0],
    [["--help"], 0],
    [["-nonsense"], 2],
    [["frobnicate"], 2],
  ])("%j ends with %i", (args, expected) => {
    expect(box.run(["--as=backup", ...args], environment()).status).toBe(expected);
    expect(box.archives()).toEqual([]);
  });
});

describe("logs", () => {
  it("are one JSON object a line with LOG_FORMAT=json", () => {
    box.job("site.env");
    const { stdout } = box.run(["run"], { LOG_FORMAT: "json" });
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { level: string; msg: string; job: string });
    expect(events.at(-1)).toMatchObject({ level: "info", msg: "run succeeded", job: "site" });
  });

  it("draw a progress bar on a terminal only", () => {
    for (let file = 0; file < 40; file += 1) writeFileSync(join(box.source, `f${file}`), Buffer.alloc(4_000_000, file));
    box.job("site.env", "BACKUP_COMPRESSION_LEVEL=best");
    const main = join(import.meta.dirname, "../../src/main.ts");
    const drawn = spawnSync("script", ["-qec", `${process.execPath} ${main} run`, "/dev/null"], {
      env: box.environment,
      encoding: "utf8",
    });
    expect(drawn.stdout).toContain("\r\u001b[K");
    expect(drawn.stdout).toMatch(/\d+ files, [\d.]+ \w+, [\d.]+ \w+\/s/);
    expect(box.run(["run"]).stderr).toBe("");
  });
});

it("check tells what a run would trip over", () => {
  box.job("site.env", `BACKUP_SOURCES=${box.source},${box.root}/missing`, "HISTORY_DAYS=");
  const { status, stdout } = box.run(["check"]);
  expect(status).toBe(1);
  expect(stdout).toMatch(/error .*missing/);
  expect(stdout).toMatch(/note .*HISTORY_DAYS/);
  expect(stdout).toMatch(/ok .*free/);
  expect(stdout).toMatch(/ok .*site: schedule @daily.*, next run at 20/);
});

it("check says that a schedule never comes due", () => {
  box.job("site.env", "BACKUP_CRON_EXPRESSION=0 0 5 31 2 ?");
  expect(box.run(["check"]).stdout).toMatch(/note .*site: schedule 0 0 5 31 2 \?.* never comes due/);
});

it.skipIf(!existsSync("/dev/full"))("an answer that can't be written is no success", () => {
  box.job("site.env");
  const main = join(import.meta.dirname, "../../src/main.ts");
  const { status, stderr } = spawnSync("sh", ["-c", `"${process.execPath}" "${main}" list > /dev/full`], {
    env: box.environment,
    encoding: "utf8",
  });
  expect(stderr).toContain("the answer could not be written: ENOSPC");
  expect(status).toBe(1);
});

it("works from another folder, without HOME, and leaves nothing in the temporary folder", () => {
  const temporary = join(box.root, "tmp");
  mkdirSync(temporary);
  box.job("site.env");
  expect(box.run(["run"], { TMPDIR: temporary }).status).toBe(0);
  expect(spawnSync("find", [temporary, "-mindepth", "1"], { encoding: "utf8" }).stdout).toBe("");
});

it("goes on where the history is damaged, sets it aside and says so", () => {
  box.job("site.env");
  expect(box.run(["run"]).status).toBe(0);
  const database = join(box.state, "history.db");
  writeFileSync(database, Buffer.concat([Buffer.from("garbage"), readFileSync(database).subarray(7)]));
  for (const companion of ["-wal", "-shm"]) rmSync(`${database}${companion}`, { force: true });
  const { status, stdout } = box.run(["run"]);
  expect(status).toBe(0);
  expect(stdout).toContain("history.db");
  expect((box.json(["history"]) as unknown[]).length).toBe(2);
});

it.each([["status"], ["check"], ["print-config"], ["list"], ["prune", "--dry-run"]])(
  "%s lets no control character of a name reach the terminal",
  (...command) => {
    box.job("site.env", 'BACKUP_FILENAME="re\u001b[31md\nname.tar.gz"');
    expect(box.run(["run"]).status).toBe(0);
    box.job("x\u001b[31m.env");
    const { stdout, stderr } = box.run(command);
    expect(`${stdout}${stderr}`).not.toContain("\u001b");
    if (["list", "prune"].includes(command[0] ?? "")) expect(stdout).toMatch(/re.*\[31md.*name\.tar\.gz/);
  },
);

it("a task whose daemon is gone ends without a stack trace", () => {
  const task = JSON.stringify({
    kind: "heal",
    jobs: [],
    options: { stateDir: box.state, lockFile: box.lock, logFormat: "text", logLevel: "info" },
  });
  // File descriptor 3 is a pipe that nobody reads any more.
  const script = `"$0" "$1" --child 3>&1 >&2 <<'END' | true\n${task}\nEND`;
  for (let i = 0; i < 3; i += 1) {
    const { stderr } = spawnSync("sh", ["-c", script, process.execPath, MAIN], {
      encoding: "utf8",
      env: box.environment,
    });
    expect(stderr).toBe("");
  }
});
