import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, statSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { systemCode } from "../../lib/errors.ts";
import { temporaryFolder } from "../../../test/archive/make.ts";
import { loadLibcCalls } from "./file-calls-libc.ts";
import { nodeCalls } from "./file-calls-node.ts";
import type { FileCalls } from "./file-calls.ts";
import { FileStat } from "./file-stat.ts";
import { LISTED, createNameStack } from "./name-stack.ts";

let libcCalls: FileCalls;
beforeAll(async () => {
  const calls = await loadLibcCalls();
  if (calls === undefined) throw new Error("libc can't be called on this machine");
  libcCalls = calls;
});

function valuesOf(stat: FileStat): unknown {
  const { mode, nlink, uid, gid, ino, device, sizeBytes, deviceMajor, deviceMinor } = stat;
  const { mtimeSeconds, mtimeNanoseconds, ctimeSeconds, ctimeNanoseconds } = stat;
  const times = [mtimeSeconds, mtimeNanoseconds, ctimeSeconds, ctimeNanoseconds];
  return { mode, nlink, uid, gid, ino, device, sizeBytes, deviceMajor, deviceMinor, times };
}

function codeOf(call: () => unknown): string | undefined {
  try {
    call();
  } catch (error) {
    return systemCode(error);
  }
  return "none";
}

describe.each([["libc"], ["node"]])("calls by %s", (by) => {
  const calls = (): FileCalls => (by === "libc" ? libcCalls : nodeCalls);

  it("say the same of every kind of file", () => {
    using folder = temporaryFolder();
    writeFileSync(path.join(folder.path, "file"), "content");
    spawnSync("touch", ["-d", "@-1.5", path.join(folder.path, "file")]);
    mkdirSync(path.join(folder.path, "folder"), 0o1750);
    symlinkSync("nowhere", path.join(folder.path, "link"));
    spawnSync("mkfifo", [path.join(folder.path, "fifo")]);
    const parent = calls().openFolderByPath(folder.path);
    const devices = calls().openFolderByPath("/dev");
    const [ours, nodes] = [new FileStat(), new FileStat()];
    for (const [fd, name] of [
      ...["file", "folder", "link", "fifo"].map((each) => [parent, each] as const),
      [devices, "null"] as const,
    ]) {
      calls().statName(fd, name, ours);
      nodeCalls.statName(fd, name, nodes);
      expect(valuesOf(ours)).toEqual(valuesOf(nodes));
    }
    const file = calls().openFile(parent, "file");
    calls().statOpen(file, ours);
    expect([ours.sizeBytes, ours.mtimeSeconds, ours.mtimeNanoseconds]).toEqual([7, -2, 500_000_000]);
    expect([ours.isFile(), ours.isDirectory()]).toEqual([true, false]);
    for (const fd of [parent, devices, file]) calls().close(fd);
  });

  it("read on from where they were, into the middle of a buffer", () => {
    using folder = temporaryFolder();
    writeFileSync(path.join(folder.path, "file"), "content");
    const parent = calls().openFolderByPath(folder.path);
    const fd = calls().openFile(parent, "file");
    const target = Buffer.alloc(100, ".");
    expect(calls().read(fd, target, 2, 3)).toBe(3);
    expect(calls().read(fd, target, 10, 50)).toBe(4);
    expect(calls().read(fd, target, 20, 50)).toBe(0);
    expect(target.toString("latin1", 0, 20)).toBe("..con.....tent......");
    const other = Buffer.alloc(10).subarray(5);
    expect(() => calls().read(fd, other, 0, 6)).toThrow(RangeError);
    calls().close(fd);
    calls().close(parent);
  });

  it("fail as Node does", () => {
    using folder = temporaryFolder();
    symlinkSync("/etc", path.join(folder.path, "link"));
    writeFileSync(path.join(folder.path, "file"), "");
    const parent = calls().openFolderByPath(folder.path);
    const stat = new FileStat();
    expect(codeOf(() => calls().openFile(parent, "missing"))).toBe("ENOENT");
    expect(codeOf(() => calls().openFile(parent, "link"))).toBe("ELOOP");
    expect(codeOf(() => calls().openFolder(parent, "link"))).toBe("ENOTDIR");
    expect(codeOf(() => calls().openFolder(parent, "file"))).toBe("ENOTDIR");
    expect(codeOf(() => calls().openFile(parent, "n".repeat(5_000)))).toBe("ENAMETOOLONG");
    expect(codeOf(() => calls().statName(parent, "missing", stat))).toBe("ENOENT");
    expect(codeOf(() => calls().statOpen(-1, stat))).not.toBe("none");
    expect(codeOf(() => calls().read(parent, Buffer.alloc(10), 0, 10))).toBe("EBADF");
    const file = calls().openFile(parent, "file");
    expect(codeOf(() => calls().list(file, createNameStack()))).toBe("ENOTDIR");
    calls().close(file);
    calls().close(parent);
  });

  it("list what is there, of any length and any bytes", () => {
    using folder = temporaryFolder();
    const many = Array.from({ length: 3_000 }, (_, at) => `${at}-${"x".repeat(at % 200)}`);
    for (const name of [...many, "n".repeat(255)]) writeFileSync(path.join(folder.path, name), "");
    writeFileSync(Buffer.concat([Buffer.from(`${folder.path}/`), Buffer.from([0xff, 0xe9])]), "");
    mkdirSync(path.join(folder.path, "folder"));
    symlinkSync("x", path.join(folder.path, "link"));
    const fd = calls().openFolderByPath(folder.path);
    const names = createNameStack();
    names.push();
    calls().list(fd, names);
    names.sort();
    const listed = new Map<string, number>();
    for (let name = names.next(); name !== undefined; name = names.next()) listed.set(name, names.listedAs);
    expect([...listed.keys()]).toEqual([...many, "n".repeat(255), "\xff\xe9", "folder", "link"].toSorted());
    expect(listed.get("folder")).toBe(LISTED.folder);
    expect(listed.get("0-")).toBe(LISTED.file);
    expect([LISTED.file, LISTED.folder]).not.toContain(listed.get("link"));
    calls().close(fd);
  });

  it("leave no descriptor open, and no access time changed", () => {
    using folder = temporaryFolder();
    const before = readdirSync("/proc/self/fd").length;
    mkdirSync(path.join(folder.path, "folder"));
    const parent = calls().openFolderByPath(folder.path);
    const inner = calls().openFolder(parent, "folder");
    const names = createNameStack();
    names.push();
    calls().list(inner, names);
    codeOf(() => calls().openFile(inner, "missing"));
    // Read after its last change, a file's access time would be set.
    writeFileSync(path.join(folder.path, "file"), "content");
    utimesSync(path.join(folder.path, "file"), 1_000, 2_000);
    const file = calls().openFile(parent, "file");
    calls().read(file, Buffer.alloc(100), 0, 100);
    for (const fd of [file, inner, parent]) calls().close(fd);
    expect(statSync(path.join(folder.path, "file")).atimeMs).toBe(1_000_000);
    expect(readdirSync("/proc/self/fd").length).toBe(before);
  });
});
