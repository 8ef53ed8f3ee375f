import { closeSync, constants, mkdirSync, openSync, readdirSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { createArchive } from "../../src/archive/write/create.ts";
import { archiveOptions, makeArchive, runQuietly, temporaryFolder } from "./make.ts";

/** Descriptors of this process that lead into `folder`. */
function openBelow(folder: string): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return runQuietly("readlink", [`/proc/${process.pid}/fd/${fd}`])
        .toString()
        .startsWith(folder);
    } catch {
      return false;
    }
  }).length;
}

function largeSource(folder: string): string {
  const source = path.join(folder, "source");
  mkdirSync(path.join(source, "a/b/c"), { recursive: true });
  writeFileSync(path.join(source, "a/b/c/large"), Buffer.alloc(60_000_000, "x"));
  return source;
}

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("it did not fail");
}

async function readAll(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of bytes) void chunk;
}

describe("an abort", () => {
  it.each([true, false])("ends everything with its reason (reader waiting: %s)", async (isReading) => {
    using folder = temporaryFolder();
    const source = largeSource(folder.path);
    const abort = new AbortController();
    const stream = createArchive(archiveOptions([source], { signal: abort.signal, compression: "gz", parallelism: 1 }));
    const iterator = stream.bytes[Symbol.asyncIterator]();
    await iterator.next();
    expect(openBelow(source)).toBeGreaterThan(0);
    const reason = new Error("enough");
    const reading = isReading ? errorOf(readAll(stream.bytes)) : undefined;
    const began = performance.now();
    abort.abort(reason);
    expect(await errorOf(stream.result)).toBe(reason);
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(await (reading ?? errorOf(iterator.next()))).toBe(reason);
    await stream.workerGone;
    expect(openBelow(source)).toBe(0);
  });

  it.each([0, 20])(
    "leaves no thread behind that still loads its code (%i ms after the first notice)",
    async (waitMs) => {
      using folder = temporaryFolder();
      const source = largeSource(folder.path);
      // A notice comes just before the first block, which starts the first compressor.
      runQuietly("python3", [
        "-c",
        `import socket; socket.socket(socket.AF_UNIX).bind(${JSON.stringify(`${source}/0`)})`,
      ]);
      const threads = (): number => readdirSync("/proc/self/task").length;
      const seen: number[] = [];
      const make = async (abort: AbortController): Promise<void> => {
        const options = { signal: abort.signal, compression: "gz", parallelism: 2 } as const;
        const stop = (): void => void setTimeout(() => abort.abort(new Error("enough")), waitMs);
        const stream = createArchive(archiveOptions([source], { ...options, onNotice: stop }));
        stream.result.catch(() => undefined);
        const aborted = once(abort.signal, "abort");
        const reading = errorOf(readAll(stream.bytes));
        await aborted;
        // As the stages do: whoever aborts does not wait for the reader's end.
        await stream.workerGone;
        seen.push(threads());
        await reading;
      };
      // Once, so that threads of Node's own are there already.
      await make(new AbortController());
      const before = threads();
      await make(new AbortController());
      expect(seen[1]).toBeLessThanOrEqual(before);
    },
  );

  it("before the first byte needs no reader", async () => {
    const abort = new AbortController();
    const stream = createArchive(archiveOptions(["/nowhere"], { signal: abort.signal }));
    abort.abort(new Error("early"));
    await expect(stream.result).rejects.toThrow("early");
    await stream.workerGone;
    await expect(readAll(stream.bytes)).rejects.toThrow("early");
    const late = createArchive(archiveOptions(["/nowhere"], { signal: abort.signal }));
    await expect(readAll(late.bytes)).rejects.toThrow("early");
    await expect(late.result).rejects.toThrow("early");
  });

  it("does not wait for a worker that hangs in a system call", async () => {
    using folder = temporaryFolder();
    const fifo = path.join(folder.path, "fifo");
    runQuietly("mkfifo", [fifo]);
    const code = path.join(folder.path, "hanging.mjs");
    writeFileSync(code, `import { openSync } from "node:fs"; openSync(${JSON.stringify(fifo)}, "r");`);
    const abort = new AbortController();
    const stream = createArchive(archiveOptions(["/"], { signal: abort.signal }), { walkWorker: pathToFileURL(code) });
    const reading = errorOf(readAll(stream.bytes));
    await new Promise((resolve) => setTimeout(resolve, 300));
    const began = performance.now();
    abort.abort(new Error("enough"));
    await expect(stream.result).rejects.toThrow("enough");
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(await reading).toBe(abort.signal.reason);
    // Lets the thread go, so that the test's process can end.
    closeSync(openSync(fifo, constants.O_WRONLY));
    await stream.workerGone;
  });
});

describe("a reader that stops early", () => {
  it("ends the archive", async () => {
    using folder = temporaryFolder();
    const source = largeSource(folder.path);
    const stream = createArchive(archiveOptions([source]));
    for await (const chunk of stream.bytes) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    await expect(stream.result).rejects.toThrow("the archive was not read to its end");
    await stream.workerGone;
    expect(openBelow(source)).toBe(0);
  });

  it("at the last chunk ends it, too", async () => {
    using folder = temporaryFolder();
    const stream = createArchive(archiveOptions([folder.path]));
    let seen = 0;
    for await (const chunk of stream.bytes) {
      seen += chunk.length;
      if (seen === 1536) break;
    }
    await expect(stream.result).rejects.toThrow("the archive was not read to its end");
  });
});

describe("a worker that fails", () => {
  it.each([
    ["throws", "throw new Error('out of order')", "the archive worker failed: Error: out of order"],
    ["ends early", "process.exit(3)", "the archive worker failed: it ended early with code 3"],
    ["runs out of memory", "const all = []; while (true) all.push(new Array(100_000).fill(all.length));", "memory"],
  ])("because it %s is an error of the archive", async (_title, body, message) => {
    using folder = temporaryFolder();
    const code = path.join(folder.path, "failing.mjs");
    writeFileSync(code, body);
    const limits = body.includes("Array") ? { resourceLimits: { maxOldGenerationSizeMb: 20 } } : {};
    const stream = createArchive(archiveOptions(["/"]), { walkWorker: pathToFileURL(code), walkWorkerOptions: limits });
    const reading = errorOf(readAll(stream.bytes));
    await expect(stream.result).rejects.toThrow(message);
    expect(await reading).toBeInstanceOf(Error);
  });

  it("because an exclude is no expression says so", async () => {
    await expect(makeArchive(["/nowhere"], { excludeRegexp: "a(b" })).rejects.toThrow("missing closing )");
  });

  it("because a callback throws ends the archive", async () => {
    using folder = temporaryFolder();
    runQuietly("python3", [
      "-c",
      "import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])",
      path.join(folder.path, "socket"),
    ]);
    const onNotice = (): void => {
      throw new Error("no notices, please");
    };
    await expect(makeArchive([folder.path], { onNotice })).rejects.toThrow("no notices, please");
  });
});
