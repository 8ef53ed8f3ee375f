import * as fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createFolders, type Folder, type Folders } from "./extract-folders.ts";
import { loadRestoreCalls } from "./restore-calls-libc.ts";
import { nodeRestoreCalls } from "./restore-calls.ts";

let root: string;
let folders: Folders;
let folder: Folder;
beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "lifeboat-"));
  folders = createFolders(root, () => undefined);
  folder = folders.enter([], false);
});
afterEach(() => {
  folders.close();
  fs.rmSync(root, { recursive: true });
});

const libcCalls = await loadRestoreCalls();

it("are libc's where it can be called", () => {
  expect(libcCalls.by).toBe(process.arch === "x64" || process.arch === "arm64" ? "libc" : "node");
});

it.each([
  ["node", nodeRestoreCalls, 1_000n],
  ["libc", libcCalls, 1n],
])("of %s make a file with all that belongs to it", (_by, calls, exactNs) => {
  for (const [name, mtimeNs] of [
    ["a", 1_767_225_600_123_456_789n],
    ["\xff\n", -5_250_000_001n],
  ] as const) {
    const fd = calls.createFile(folder, name);
    const place = folder.at(name);
    expect(fs.statSync(place).mode & 0o7777).toBe(0o600);
    calls.write(fd, Buffer.from("..first ").subarray(2));
    calls.write(fd, Buffer.alloc(0));
    calls.write(fd, Buffer.from("second"));
    calls.setOwner(fd, process.getuid?.() ?? 0, process.getgid?.() ?? 0);
    calls.setMode(fd, 0o4751);
    calls.setTime(fd, mtimeNs);
    calls.close(fd);
    expect(fs.readFileSync(place, "latin1")).toBe("first second");
    const { mode, mtimeNs: got } = fs.statSync(place, { bigint: true });
    expect(mode & 0o7777n).toBe(0o4751n);
    expect((got - mtimeNs) / exactNs).toBe(0n);
  }
  fs.symlinkSync("a", folder.at("link"));
  calls.setTimeOf(folder, "link", 1_000_000_007n);
  expect(fs.lstatSync(path.join(root, "link"), { bigint: true }).mtimeNs / exactNs).toBe(1_000_000_007n / exactNs);
  expect(fs.statSync(path.join(root, "a")).mtimeMs).toBeGreaterThan(1_700_000_000_000);
});

it.each([
  ["node", nodeRestoreCalls],
  ["libc", libcCalls],
])("of %s throw the system's errors, and write through no link", (_by, calls) => {
  const victim = path.join(root, "victim");
  fs.writeFileSync(victim, "precious");
  fs.symlinkSync("victim", path.join(root, "link"));
  fs.symlinkSync("new", path.join(root, "dangling"));
  for (const name of ["victim", "link", "dangling"])
    expect(() => calls.createFile(folder, name)).toThrow(expect.objectContaining({ code: "EEXIST" }));
  expect(fs.readFileSync(victim, "utf8")).toBe("precious");
  expect(fs.existsSync(path.join(root, "new"))).toBe(false);
  expect(() => calls.createFile(folder, "x".repeat(256))).toThrow(expect.objectContaining({ code: "ENAMETOOLONG" }));
  expect(() => calls.createFile(folder, "x".repeat(5000))).toThrow(expect.objectContaining({ code: "ENAMETOOLONG" }));
  const fd = fs.openSync(victim, "r");
  expect(() => calls.write(fd, Buffer.from("x"))).toThrow(expect.objectContaining({ code: "EBADF" }));
  expect(() => calls.setOwner(fd, 2 ** 33, 1)).toThrow(expect.objectContaining({ code: "ERR_OUT_OF_RANGE" }));
  fs.closeSync(fd);
});
