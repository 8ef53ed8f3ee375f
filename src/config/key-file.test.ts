import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { Setting } from "../contracts/setting.ts";
import { SSH_IDENTITY_FILE } from "../destinations/ssh/settings.ts";
import { WEBDAV_PASSWORD } from "../destinations/webdav/settings.ts";
import { BACKUP_PRUNING_PREFIX } from "../retention/settings.ts";
import { loadEnvironment, loadFiles, short, temporaryFolder } from "./testing.ts";

function secretFile(content: string | Uint8Array): string {
  const file = path.join(temporaryFolder(), "secret");
  writeFileSync(file, content);
  return file;
}

async function valueOf(
  setting: Setting<"text">,
  config: string,
  environment: Record<string, string> = {},
): Promise<string | undefined> {
  const { jobs } = await loadFiles({ a: config }, environment);
  return jobs[0]?.values.get(setting);
}

describe("KEY_FILE", () => {
  it.each([
    ["x\n", "x"],
    ["x\r\n", "x"],
    ["x\n\n", "x\n"],
    [" x ", " x "],
    ["x", "x"],
    ["a\nb\n", "a\nb"],
    ["\uFEFFx", "\uFEFFx"],
  ])("reads %j as %j", async (content, value) =>
    expect(await valueOf(WEBDAV_PASSWORD, `WEBDAV_PASSWORD_FILE=${secretFile(content)}`)).toBe(value),
  );

  it("in the file replaces both from the environment, and so does KEY", async () => {
    const [a, b] = [secretFile("a"), secretFile("b")];
    const both = { WEBDAV_PASSWORD: "x", WEBDAV_PASSWORD_FILE: b };
    expect(await valueOf(WEBDAV_PASSWORD, `WEBDAV_PASSWORD_FILE=${a}`, both)).toBe("a");
    expect(await valueOf(WEBDAV_PASSWORD, "WEBDAV_PASSWORD=y", both)).toBe("y");
    expect(await valueOf(WEBDAV_PASSWORD, "WEBDAV_PASSWORD=", { WEBDAV_PASSWORD: "x" })).toBeUndefined();
    expect(await valueOf(WEBDAV_PASSWORD, "", { WEBDAV_PASSWORD_FILE: b })).toBe("b");
  });

  it("counts where the other line was left blank, and not where it is blank itself", async () => {
    expect(
      await valueOf(BACKUP_PRUNING_PREFIX, `BACKUP_PRUNING_PREFIX=\nBACKUP_PRUNING_PREFIX_FILE=${secretFile("p")}`),
    ).toBe("p");
    expect(await valueOf(BACKUP_PRUNING_PREFIX, "BACKUP_PRUNING_PREFIX=p\nBACKUP_PRUNING_PREFIX_FILE=")).toBe("p");
  });

  it("beside KEY in one source is an error, also when a file names neither", async () => {
    const file = secretFile("hunter2");
    const message = "WEBDAV_PASSWORD is set too; only one of the two can count, so remove the other";
    const inFile = await loadFiles({ a: `WEBDAV_PASSWORD=hunter1\nWEBDAV_PASSWORD_FILE=${file}` });
    expect(inFile.broken[0]?.problems.map(short)).toEqual([`error 2 WEBDAV_PASSWORD_FILE: ${message}`]);
    expect([...inFile.secrets].toSorted()).toEqual(["hunter1", "hunter2"]);
    const inEnvironment = await loadFiles(
      { a: "", b: "WEBDAV_PASSWORD=x" },
      { WEBDAV_PASSWORD: "hunter1", WEBDAV_PASSWORD_FILE: file },
    );
    expect(inEnvironment.jobs.map(({ name }) => name)).toEqual(["b"]);
    expect(inEnvironment.broken[0]?.problems.map(short)).toEqual([`error WEBDAV_PASSWORD_FILE: ${message}`]);
  });

  it("that can't be read is an error that names the key, and not what may be the secret", async () => {
    const locked = secretFile("x");
    chmodSync(locked, 0);
    const folder = path.join(temporaryFolder(), "folder");
    mkdirSync(folder);
    const cases: [string, string][] = [
      ["/does/not/exist", "it does not exist"],
      ["the-secret-itself", "it does not exist"],
      [folder, "it is not a regular file"],
      ["/dev/zero", "it is not a regular file"],
      [secretFile(new Uint8Array(1024 * 1024 + 1)), "it is larger than 1 MiB"],
      [secretFile(Uint8Array.of(0xff)), "it is not UTF-8 text"],
      [secretFile("a\0b"), "it holds a NUL"],
    ];
    if (process.getuid?.() !== 0) cases.push([locked, "permission denied"]);
    for (const [file, reason] of cases) {
      const { problems, broken } = await loadEnvironment({ WEBDAV_PASSWORD_FILE: file });
      expect(broken).toHaveLength(1);
      expect(problems.map(short)).toEqual([`error WEBDAV_PASSWORD_FILE: can't read the file that it names: ${reason}`]);
    }
  });

  it("is never quoted, as it may be any file", async () => {
    const file = secretFile("root:hunter2 * * * *");
    const keys = [
      "BACKUP_CRON_EXPRESSION",
      "LOCK_TIMEOUT",
      "BACKUP_COMPRESSION",
      "TZ",
      "BACKUP_ARCHIVE",
      "GZIP_PARALLELISM",
    ];
    const { problems } = await loadFiles({ a: keys.map((key) => `${key}_FILE=${file}\n`).join("") });
    expect(problems.filter(({ key }) => key !== undefined)).toHaveLength(keys.length);
    expect(JSON.stringify(problems)).not.toMatch(/root|hunter/);
  });

  it("is not meant where the name is a setting of its own", async () => {
    const {
      jobs: [job],
    } = await loadFiles({ a: "SSH_IDENTITY_FILE=/does/not/exist\n" });
    expect(job?.values.get(SSH_IDENTITY_FILE)).toBe("/does/not/exist");
  });

  it("is watched, readable or not", async () => {
    const file = secretFile("x");
    const { watched } = await loadFiles({
      a: `WEBDAV_PASSWORD_FILE=${file}\n`,
      b: "SSH_PASSWORD_FILE=/does/not/exist",
    });
    expect(watched).toEqual(expect.arrayContaining([file, "/does/not/exist"]));
  });
});
