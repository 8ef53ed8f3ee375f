import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import { expect, it } from "vitest";
import { isAlive, isForeign, processIdentity } from "./process.ts";

const self = processIdentity(process.pid);
if (self === undefined) throw new Error("this process does not see itself");

it("knows this process, with a start time and a boot", () => {
  expect(self).toMatchObject({ pid: process.pid });
  expect(self.startTime).toBeGreaterThan(0);
  expect(self.bootId).toMatch(/^[0-9a-f-]{36}$/);
  expect(isAlive(self)).toBe(true);
});

it("takes another start time or boot of the same pid for another process", () => {
  expect(isAlive({ ...self, startTime: self.startTime + 1 })).toBe(false);
  expect(isAlive({ ...self, bootId: "00000000-0000-0000-0000-000000000000" })).toBe(false);
});

it("tells a process of another pid namespace as foreign, unless the boot is another", () => {
  const foreign = { ...self, namespace: "pid:[1]" };
  expect(isForeign(foreign)).toBe(true);
  expect(isAlive(foreign)).toBe(false);
  expect(isForeign({ ...foreign, bootId: "x" })).toBe(false);
  expect(isForeign(self)).toBe(false);
});

it.each([0, -1, 1.5, Number.NaN, 2 ** 31, 2 ** 40])("knows no process %s", (pid) => {
  expect(processIdentity(pid)).toBeUndefined();
  expect(isAlive({ ...self, pid })).toBe(false);
});

it("sees a child die", async () => {
  const child = spawn("sleep", ["60"]);
  const identity = processIdentity(child.pid ?? 0);
  if (identity === undefined) throw new Error("child not seen");
  expect(isAlive(identity)).toBe(true);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(isAlive(identity)).toBe(false);
  expect(processIdentity(identity.pid)).toBeUndefined();
});

it("takes a zombie for dead", async () => {
  // Python never waits for its child, which ends at once and stays as a zombie.
  const parent = spawn("python3", [
    "-c",
    "import os,sys,time\npid=os.fork()\nif pid==0: os._exit(0)\nprint(pid,flush=True)\ntime.sleep(60)",
  ]);
  try {
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(line.toString());
    await expect.poll(() => fs.readFileSync(`/proc/${pid}/stat`, "latin1")).toContain(") Z ");
    expect(processIdentity(pid)).toBeUndefined();
    expect(isAlive({ ...self, pid, startTime: 0 })).toBe(false);
  } finally {
    parent.kill("SIGKILL");
  }
});

it("reads the start time behind a name with spaces and parentheses", async () => {
  const python =
    "import sys,time\nopen('/proc/self/comm','w').write('a) Z 1 (b')\nprint('ok',flush=True)\ntime.sleep(60)";
  const child = spawn("python3", ["-c", python]);
  try {
    await once(child.stdout, "data");
    const pid = child.pid ?? 0;
    expect(fs.readFileSync(`/proc/${pid}/stat`, "latin1")).toContain("(a) Z 1 (b)");
    const ticks = Number(
      spawnSync("python3", ["-c", `print(open('/proc/${pid}/stat').read().rsplit(')',1)[1].split()[19])`]).stdout,
    );
    expect(processIdentity(pid)?.startTime).toBe(ticks);
  } finally {
    child.kill("SIGKILL");
  }
});
