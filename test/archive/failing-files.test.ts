import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { ArchiveNotice } from "../../src/contracts/archive.ts";
import { createArchive } from "../../src/archive/write/create.ts";
import { estimateSources } from "../../src/archive/write/estimate.ts";
import { Sandbox, until } from "../e2e/sandbox.ts";
import { archiveOptions, isRoot, listWithPython, makeArchive, runQuietly, temporaryFolder } from "./make.ts";

/** A real file system whose files fail or never answer: see fuse_files.py. */
interface FailingFiles {
  /** Settles when the first call hangs. */
  readonly hanging: Promise<unknown>;
  /** Ends the server of the file system: what hangs in it fails. */
  end(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

interface FailingFile {
  readonly size?: number;
  readonly error?: number;
  readonly from?: number;
  readonly hang?: "open" | "read" | "list" | "stop";
}

async function mountAt(folder: string, files: Readonly<Record<string, FailingFile>>): Promise<FailingFiles> {
  mkdirSync(folder, { recursive: true });
  const program = [path.join(import.meta.dirname, "fuse_files.py"), folder, JSON.stringify(files)];
  const server = spawn("python3", program, { stdio: ["ignore", "pipe", "inherit"] });
  const gone = once(server, "exit");
  const lines = createInterface(server.stdout);
  await Promise.race([once(lines, "line"), gone]);
  if (server.exitCode !== null) throw new Error("the file system was not mounted");
  const end = async (): Promise<void> => {
    server.kill("SIGKILL");
    await gone;
  };
  const hanging = once(lines, "line");
  hanging.catch(() => undefined);
  return {
    hanging,
    end,
    async [Symbol.asyncDispose]() {
      await end();
      runQuietly("umount", ["-l", folder]);
    },
  };
}

const ENOENT = 2;
const EIO = 5;
const ETIMEDOUT = 110;
const CAN_MOUNT = isRoot && existsSync("/dev/fuse");

describe.skipIf(!CAN_MOUNT)("a file system that fails", () => {
  it("in the middle of a file: the rest is zeros, counted and said", async () => {
    using folder = temporaryFolder();
    await using files = await mountAt(path.join(folder.path, "site"), {
      "a-broken": { size: 3_000_000, error: EIO, from: 1_500_000 },
      "b-from-the-start": { size: 100, error: EIO, from: 0 },
      "c-slow": { size: 100, error: ETIMEDOUT, from: 0 },
      "d-cut": { size: 2_500_000, error: ETIMEDOUT, from: 2_200_000 },
      "e-good": { size: 700 },
    });
    void files;
    const { bytes, result, notices } = await makeArchive([path.join(folder.path, "site")]);
    expect(notices.map(({ kind, path: at, detail }) => [kind, path.basename(at), detail])).toEqual([
      ["unreadable", "a-broken", "EIO: i/o error after 1500000 of 3000000 bytes: the rest was filled with zeros"],
      ["unreadable", "b-from-the-start", "EIO: i/o error: left out"],
      ["blocked", "c-slow", "ETIMEDOUT: connection timed out: left out"],
      [
        "blocked",
        "d-cut",
        "ETIMEDOUT: connection timed out after 2200000 of 2500000 bytes: the rest was filled with zeros",
      ],
    ]);
    expect(result.incomplete).toBe(4);
    expect(result.notices).toEqual({ unreadable: 2, blocked: 2 });
    expect(result.bytesRead).toBe(1_500_000 + 2_200_000 + 700);
    const entries = listWithPython(bytes);
    expect(entries.map(({ name, size }) => [path.basename(name), size])).toEqual([
      ["site", 0],
      ["a-broken", 3_000_000],
      ["d-cut", 2_500_000],
      ["e-good", 700],
    ]);
    const content = bytes.subarray(bytes.indexOf("xxxx"));
    expect(content.subarray(0, 1_500_000).every((byte) => byte === 0x78)).toBe(true);
    expect(content.subarray(1_500_000, 3_000_000).every((byte) => byte === 0)).toBe(true);
  });

  it("by denying what it has just listed", async () => {
    using folder = temporaryFolder();
    await using files = await mountAt(path.join(folder.path, "site"), {
      gone: { size: 10, error: ENOENT, from: 0 },
      good: { size: 10 },
    });
    void files;
    const { result } = await makeArchive([path.join(folder.path, "site")]);
    expect(result.counts.files).toBe(1);
    expect(result.incomplete).toBe(1);
  });
});

describe.skipIf(!CAN_MOUNT)("a file system that does not answer", () => {
  it.each<[string, Record<string, FailingFile>]>([
    ["an open", { file: { size: 10, hang: "open" } }],
    ["a read", { file: { size: 10, hang: "read" } }],
    ["a listing", { "folder/": { hang: "list" } }],
  ])("does not keep an archive from ending: %s", async (_title, contents) => {
    using folder = temporaryFolder();
    const site = path.join(folder.path, "site");
    await using files = await mountAt(site, contents);
    const abort = new AbortController();
    const notices: ArchiveNotice[] = [];
    const options = { signal: abort.signal, onNotice: (notice: ArchiveNotice) => void notices.push(notice) };
    const stream = createArchive(archiveOptions([site], options));
    const reading = stream.bytes[Symbol.asyncIterator]().next();
    reading.catch(() => undefined);
    await files.hanging;
    const began = performance.now();
    abort.abort(new Error("enough"));
    await expect(stream.result).rejects.toThrow("enough");
    expect(performance.now() - began).toBeLessThan(2_000);
    await expect(reading).rejects.toThrow("enough");
    const isGone = await Promise.race([stream.workerGone.then(() => true), sleep(300, false)]);
    expect(isGone).toBe(false);
    await files.end();
    await stream.workerGone;
    expect(notices).toEqual([]);
  });

  it("does not keep an estimate from ending", async () => {
    using folder = temporaryFolder();
    const site = path.join(folder.path, "site");
    await using files = await mountAt(site, { "folder/": { hang: "list" } });
    const abort = new AbortController();
    const estimate = estimateSources(archiveOptions([site], { signal: abort.signal }));
    await files.hanging;
    abort.abort(new Error("enough"));
    await expect(estimate).rejects.toThrow("enough");
    await files.end();
  });

  /** A run that hangs in the file, SIGTERM, and what is left when `isOver`. */
  async function interruptedRun(
    hang: "open" | "stop",
    isOver: (sandbox: Sandbox, run: ReturnType<Sandbox["start"]>) => boolean,
  ): Promise<NodeJS.Signals | null> {
    const sandbox = new Sandbox();
    const files = await mountAt(path.join(sandbox.source, "mount"), { file: { size: 10, hang } });
    try {
      writeFileSync(path.join(sandbox.source, "large"), Buffer.alloc(3_000_000, "x"));
      sandbox.job("site.env");
      const run = sandbox.start(["run", "site"]);
      await Promise.race([files.hanging, run.ended]);
      expect(sandbox.hidden(), run.output()).toHaveLength(1);
      run.child.kill("SIGTERM");
      await until("the run is over", () => isOver(sandbox, run), 8_000);
      expect(sandbox.archives()).toEqual([]);
      expect(sandbox.hidden()).toEqual([]);
      expect(existsSync(sandbox.lock)).toBe(false);
      expect(sandbox.json(["history"])).toMatchObject([{ status: "interrupted" }]);
      await files.end();
      await run.ended;
      return run.child.signalCode;
    } finally {
      await files[Symbol.asyncDispose]();
      sandbox.dispose();
    }
  }

  it("does not keep a run from ending on SIGTERM, recorded, with nothing left", { timeout: 60_000 }, async () => {
    expect(await interruptedRun("stop", (_sandbox, run) => run.child.signalCode !== null)).toBe("SIGKILL");
  });

  it("and that the kernel lets nobody kill keeps it from nothing else", { timeout: 60_000 }, async () => {
    // What a FUSE server has taken and not answered holds its caller's thread until the server is gone.
    const isOver = (sandbox: Sandbox): boolean => !existsSync(sandbox.lock);
    expect(await interruptedRun("open", isOver)).toBe("SIGKILL");
  });

  it("does not keep the daemon from other jobs, nor from its own end", { timeout: 90_000 }, async () => {
    const sandbox = new Sandbox();
    const [mount, other] = [path.join(sandbox.root, "mount"), path.join(sandbox.root, "other")];
    const files = await mountAt(mount, { file: { size: 10, hang: "open" } });
    try {
      mkdirSync(other);
      writeFileSync(path.join(other, "file"), "content");
      const everySecond = 'BACKUP_CRON_EXPRESSION="* * * * * *"';
      sandbox.job(
        "a-hangs.env",
        everySecond,
        `BACKUP_SOURCES=${mount}`,
        "BACKUP_TIMEOUT=2s",
        "BACKUP_FILENAME=a.tar.gz",
      );
      sandbox.job("b-works.env", everySecond, `BACKUP_SOURCES=${other}`, "BACKUP_FILENAME=b.tar.gz");
      const daemon = sandbox.start(["daemon"]);
      await Promise.race([files.hanging, daemon.ended]);
      await until("the other job's archive", () => sandbox.archives().includes("b.tar.gz"), 60_000);
      daemon.child.kill("SIGTERM");
      await until("the daemon's end", () => daemon.child.exitCode !== null, 20_000);
      expect(daemon.child.exitCode).toBe(0);
    } finally {
      await files[Symbol.asyncDispose]();
      sandbox.dispose();
    }
  });
});
