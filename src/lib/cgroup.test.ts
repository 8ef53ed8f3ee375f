import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readCgroupLimits } from "./cgroup.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), "lifeboat-"));
});
afterEach(() => rmSync(root, { recursive: true }));

function files(contents: Record<string, string>): void {
  for (const [name, content] of Object.entries(contents)) {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), content);
  }
}

describe("limits", () => {
  it("of version 2 in a container", () => {
    files({
      "proc/self/cgroup": "0::/\n",
      "sys/fs/cgroup/cpu.max": "35000 100000\n",
      "sys/fs/cgroup/memory.max": "367001600\n",
    });
    expect(readCgroupLimits(root)).toEqual({ cpus: 0.35, memoryBytes: 367_001_600 });
  });
  it("of version 2 without any", () => {
    files({
      "proc/self/cgroup": "0::/\n",
      "sys/fs/cgroup/cpu.max": "max 100000\n",
      "sys/fs/cgroup/memory.max": "max\n",
    });
    expect(readCgroupLimits(root)).toEqual({ cpus: undefined, memoryBytes: undefined });
  });
  it("are the tightest of the group and its parents", () => {
    files({
      "proc/self/cgroup": "0::/user.slice/a:b\n",
      "sys/fs/cgroup/user.slice/cpu.max": "100000 100000",
      "sys/fs/cgroup/user.slice/a:b/cpu.max": "200000 100000",
      "sys/fs/cgroup/user.slice/a:b/memory.max": "1000000000",
    });
    expect(readCgroupLimits(root)).toEqual({ cpus: 1, memoryBytes: 1_000_000_000 });
  });
  it("of version 1, where the path is the host's", () => {
    files({
      "proc/self/cgroup": "4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n",
      "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "150000\n",
      "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
      "sys/fs/cgroup/memory/memory.limit_in_bytes": "524288000\n",
    });
    expect(readCgroupLimits(root)).toEqual({ cpus: 1.5, memoryBytes: 524_288_000 });
  });
  it("of version 1 without any", () => {
    files({
      "proc/self/cgroup": "4:memory:/\n3:cpu:/\n",
      "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
      "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
      "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
    });
    expect(readCgroupLimits(root)).toEqual({ cpus: undefined, memoryBytes: undefined });
  });
  it("that can't be read or make no sense are none", () => {
    expect(readCgroupLimits(root)).toEqual({ cpus: undefined, memoryBytes: undefined });
    files({ "proc/self/cgroup": "nonsense\n0::/\n", "sys/fs/cgroup/cpu.max": "0 0", "sys/fs/cgroup/memory.max": "" });
    expect(readCgroupLimits(root)).toEqual({ cpus: undefined, memoryBytes: undefined });
  });
  it("of this process can be asked for", () => {
    expect(() => readCgroupLimits()).not.toThrow();
  });
});
