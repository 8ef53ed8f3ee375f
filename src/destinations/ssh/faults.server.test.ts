import { execFileSync } from "node:child_process";
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { generatedSource } from "../../../test/conformance/generated-source.ts";
import { asArchive, asRecord, failureOf, OWNER, readAll, signal } from "../../../test/conformance/harness.ts";
import { brokenSource, growingSource, sampleBytes, sha256 } from "../../../test/conformance/sources.ts";
import { startFaultProxy, type FaultProxy } from "../../../test/faults/proxy.ts";
import { ensureAccount, SSH_PASSWORD, SSH_USER, type SshServer, startSshd } from "../../../test/servers/sshd.ts";
import type { Destination } from "../../contracts/destination.ts";
import { DestinationError } from "../../lib/errors.ts";
import { bufferSource } from "../buffer-source.ts";
import type { SshOptions } from "./options.ts";
import { createSshDestination } from "./ssh.ts";

const MEBIBYTE = 1024 * 1024;

let server: SshServer;
let proxy: FaultProxy;
let destination: Destination;
let folder = "";
let folders = 0;

beforeAll(async () => {
  server = await startSshd();
}, 60_000);
afterAll(async () => {
  await server.stop();
});
beforeEach(async () => {
  proxy = await startFaultProxy({ port: server.port });
  folders += 1;
  folder = join(server.root, `case-${folders}`);
  destination = open({ port: proxy.port });
});
afterEach(async () => {
  await destination.close();
  await proxy.close();
});

function open(more: Partial<SshOptions> = {}): Destination {
  return createSshDestination({
    host: "127.0.0.1",
    port: server.port,
    user: SSH_USER,
    password: SSH_PASSWORD,
    remotePath: folder,
    concurrency: 64,
    limits: { connectMs: 3_000, idleMs: 2_000, silenceMs: 8_000 },
    ...more,
  });
}

/** What the server's own tools see. */
function filesIn(path: string): string[] {
  return existsSync(path) ? readdirSync(path) : [];
}

async function failure(work: Promise<unknown>): Promise<DestinationError> {
  const error = await failureOf(work);
  expect(error).toBeInstanceOf(DestinationError);
  return error as DestinationError;
}

describe("a connection that breaks", () => {
  it("once in the middle: goes on from the last confirmed byte", async () => {
    await proxy.setFault({ kind: "cut-once", afterBytes: 6 * MEBIBYTE });
    const body = generatedSource(20 * MEBIBYTE, { windowBytes: 16 * MEBIBYTE });
    const stored = await destination.put("a.tar", body, asArchive());
    expect(stored.sizeBytes).toBe(20 * MEBIBYTE);
    expect(proxy.seen.cuts).toBe(1);
    expect(body.readAgainFrom()).toBeGreaterThan(2 * MEBIBYTE);
    expect(
      createHash("sha256")
        .update(readFileSync(join(folder, "a.tar")))
        .digest("hex"),
    ).toBe(body.sha256);
    expect(filesIn(folder)).toEqual(["a.tar"]);
  });

  it("again and again: each connection brings it further", { timeout: 60_000 }, async () => {
    await proxy.setFault({ kind: "cut-always", afterBytes: 4 * MEBIBYTE });
    const body = generatedSource(12 * MEBIBYTE);
    await destination.put("a.tar", body, asArchive());
    expect(proxy.seen.cuts).toBeGreaterThan(2);
    expect(
      createHash("sha256")
        .update(readFileSync(join(folder, "a.tar")))
        .digest("hex"),
    ).toBe(body.sha256);
  });

  it("always before anything is stored: is given up, and nothing is visible", { timeout: 60_000 }, async () => {
    await proxy.setFault({ kind: "cut-always", afterBytes: 20_000 });
    const error = await failure(destination.put("a.tar", generatedSource(MEBIBYTE), asArchive()));
    expect(error).toMatchObject({ code: "unavailable", isFinal: true });
    await proxy.setFault({ kind: "none" });
    expect(filesIn(folder).filter((name) => !name.endsWith(".partial"))).toEqual([]);
  });

  it("again and again while an archive is read: it is resumed", { timeout: 60_000 }, async () => {
    const body = generatedSource(8 * MEBIBYTE);
    await destination.put("a.tar", body, asArchive());
    await destination.close();
    destination = open({ port: proxy.port });
    await proxy.setFault({ kind: "cut-always", afterBytes: 3 * MEBIBYTE, direction: "down" });
    expect(sha256(await readAll(destination, "archive", "a.tar"))).toBe(body.sha256);
    expect(proxy.seen.cuts).toBeGreaterThanOrEqual(2);
    expect(await readAll(destination, "archive", "a.tar", { offset: 9, length: 5e6 })).toHaveLength(5e6);
  });

  it("while an archive is read that is replaced just then: an error, never a mixture", async () => {
    await destination.put("a.tar", generatedSource(8 * MEBIBYTE), asArchive());
    await destination.close();
    destination = open({ port: proxy.port });
    await proxy.setFault({ kind: "cut-once", afterBytes: 3 * MEBIBYTE, direction: "down" });
    const stream = await destination.get("archive", "a.tar", undefined, signal());
    writeFileSync(join(folder, "a.tar"), "another");
    expect((await failure(stream.toArray())).message).toContain("replaced");
  });

  it("while the archive is slow: the next bytes go over a new one", { timeout: 60_000 }, async () => {
    const bytes = sampleBytes(3_000_000);
    const upload = destination.put("a.tar", growingSource(bytes, 300_000, 300), asArchive());
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    const sessions = execFileSync("pgrep", ["-P", String(server.program.pid)], { encoding: "utf8" })
      .trim()
      .split("\n");
    for (const pid of sessions) process.kill(Number(pid), "SIGKILL");
    await upload;
    expect(readFileSync(join(folder, "a.tar")).equals(bytes)).toBe(true);
  });
});

describe("a server that does not answer", () => {
  it("in the middle of an upload: is given up within the limits", { timeout: 60_000 }, async () => {
    await proxy.setFault({ kind: "stall", afterBytes: 2 * MEBIBYTE });
    const startedAt = performance.now();
    const error = await failure(destination.put("a.tar", generatedSource(40 * MEBIBYTE), asArchive()));
    expect(error.code).toBe("unavailable");
    expect(performance.now() - startedAt).toBeLessThan(25_000);
    expect(filesIn(folder).filter((name) => !name.endsWith(".partial"))).toEqual([]);
  });

  it(
    "because its process is stopped: is given up, and an abort does not wait for it",
    { timeout: 60_000 },
    async () => {
      const own = await startSshd();
      const stalled = open({ port: own.port, remotePath: own.root });
      try {
        await stalled.connect(signal());
        const pids = [own.program.pid, ...descendants(own.program.pid)];
        for (const pid of pids) process.kill(pid, "SIGSTOP");
        const controller = new AbortController();
        setTimeout(() => controller.abort(new Error("stop now")), 500);
        const startedAt = performance.now();
        await failureOf(
          stalled.put("a.tar", bufferSource(sampleBytes(100)), { ...asArchive(), signal: controller.signal }),
        );
        expect(performance.now() - startedAt).toBeLessThan(2_000);
        expect(await failure(stalled.put("b.tar", bufferSource(sampleBytes(100)), asArchive()))).toMatchObject({
          code: "unavailable",
        });
        for (const pid of pids) process.kill(pid, "SIGCONT");
        await stalled.put("c.tar", bufferSource(sampleBytes(100)), asArchive());
      } finally {
        await stalled.close();
        await own.stop();
      }
    },
  );

  it.each([
    ["nonsense", { kind: "garbage" } as const, /SSH server/],
    ["silence", { kind: "stall", afterBytes: 0 } as const, /SSH_PORT/],
    ["a refusal", { kind: "refuse" } as const, /SSH_PORT/],
  ])("but with %s: is given up with a hint", { timeout: 60_000 }, async (_what, fault, hint) => {
    await proxy.setFault(fault);
    const error = await failure(destination.connect(signal()));
    expect(error.code).toBe("unavailable");
    expect(error.hint).toMatch(hint);
  });
});

function descendants(pid: number): number[] {
  try {
    const children = execFileSync("pgrep", ["-P", String(pid)], { encoding: "utf8" })
      .trim()
      .split("\n")
      .map(Number);
    return children.flatMap((child) => [child, ...descendants(child)]);
  } catch {
    // pgrep says 1 where there is none.
    return [];
  }
}

it("goes on through a long way: 100 ms each way cost little", { timeout: 60_000 }, async () => {
  await proxy.setFault({ kind: "latency", eachWayMs: 100 });
  const patient = open({ port: proxy.port, limits: {} });
  const startedAt = performance.now();
  await patient.put("a.tar", generatedSource(8 * MEBIBYTE), asArchive());
  // One piece of 32 KiB at a time would take 256 round trips, 51 s.
  expect(performance.now() - startedAt).toBeLessThan(20_000);
  await patient.close();
});

describe("a full disk", () => {
  let small = "";
  beforeAll(() => {
    small = join(server.root, "small");
    mkdirSync(small);
    const { uid, gid } = ensureAccount();
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=12m,uid=${uid},gid=${gid},mode=755`, "tmpfs", small]);
    chownSync(small, uid, gid);
  });
  afterAll(() => {
    execFileSync("umount", [small]);
    rmSync(small, { recursive: true });
  });

  it("is an error that says so, and the earlier archive stays", async () => {
    const full = open({ remotePath: small });
    await full.put("same.tar", bufferSource(sampleBytes(1_000)), asArchive());
    const error = await failure(full.put("same.tar", generatedSource(20 * MEBIBYTE), asArchive()));
    expect(error.code).toBe("full");
    expect(error.message).toContain("not enough space");
    expect(readdirSync(small)).toEqual(["same.tar"]);
    expect(readFileSync(join(small, "same.tar")).equals(sampleBytes(1_000))).toBe(true);
    await full.close();
  });

  it("is seen before the first byte where the size is known", async () => {
    const full = open({ remotePath: small });
    const body = generatedSource(20 * MEBIBYTE, { isLengthUnknown: false });
    const error = await failure(full.put("b.tar", body, asArchive()));
    expect(error.code).toBe("full");
    expect(error.message).toContain("about 21.0 MB needed");
    expect(readdirSync(small)).toEqual(["same.tar"]);
    await full.close();
  });
});

describe("what is in the way", () => {
  it("a folder under the archive's name is left alone", async () => {
    await destination.put("first.tar", bufferSource(sampleBytes(1)), asArchive());
    mkdirSync(join(folder, "taken.tar"));
    const error = await failure(destination.put("taken.tar", bufferSource(sampleBytes(1)), asArchive()));
    expect(error.code).toBe("invalid");
    expect(filesIn(folder).toSorted()).toEqual(["first.tar", "taken.tar"]);
  });

  it("a path that leads through a file, or where the login may not write, is an error with a hint", async () => {
    await destination.put("file.tar", bufferSource(sampleBytes(1)), asArchive());
    const through = open({ remotePath: join(folder, "file.tar") });
    expect(await failure(through.connect(signal()))).toMatchObject({
      code: "invalid",
      hint: "correct SSH_REMOTE_PATH",
    });
    for (const path of ["file.tar/below/it", "leads-nowhere"]) {
      symlinkSync("/nowhere", join(folder, "leads-nowhere"), "file");
      const other = open({ remotePath: join(folder, path) });
      expect(await failure(other.put("x.tar", bufferSource(sampleBytes(1)), asArchive()))).toMatchObject({
        code: "invalid",
        message: expect.stringContaining("not a folder"),
        hint: "correct SSH_REMOTE_PATH",
      });
      await other.close();
      rmSync(join(folder, "leads-nowhere"));
    }
    const denied = open({ remotePath: "/etc/lifeboat-may-not" });
    const error = await failure(denied.put("x.tar", bufferSource(sampleBytes(1)), asArchive()));
    expect(error).toMatchObject({ code: "denied", hint: expect.stringContaining("SSH_REMOTE_PATH") });
    // Deeper down all is "missing", which is not the reason.
    const record = await failure(denied.put("job/run.json", bufferSource(sampleBytes(1)), asRecord()));
    expect(record).toMatchObject({ code: "denied", hint: expect.stringContaining("SSH_REMOTE_PATH") });
    await through.close();
    await denied.close();
  });

  it("an archive that breaks leaves nothing, and its own error", async () => {
    const error = await failureOf(
      destination.put("b.tar", brokenSource(900_000, new Error("engine broke")), asArchive()),
    );
    expect(error).toHaveProperty("message", "engine broke");
    expect(filesIn(folder)).toEqual([]);
    expect(await destination.removeLeftovers(OWNER, signal())).toBe(0);
  });
});
