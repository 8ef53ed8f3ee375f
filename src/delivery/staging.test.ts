import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { failureOf, OWNER } from "../../test/conformance/harness.ts";
import { sampleBytes, sha256 } from "../../test/conformance/sources.ts";
import { createLocalDestination } from "../destinations/local/local.ts";
import { sleep } from "../lib/clock.ts";
import { cleanSpool, openStage, type StageOptions } from "./staging.ts";

let root: string;
let folder: string;
let spool: string;
const signal = AbortSignal.timeout(120_000);

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "lifeboat-"));
  folder = path.join(root, "archive");
  spool = path.join(root, "spool");
  fs.mkdirSync(folder);
});
afterEach(() => fs.rmSync(root, { recursive: true }));

function options(more: Partial<StageOptions> = {}): StageOptions {
  return {
    name: "a.tar.gz",
    owner: OWNER,
    local: createLocalDestination({ folder }),
    spoolFolder: spool,
    neededBytes: 0,
    signal,
    ...more,
  };
}

async function* pieces(bytes: Buffer, pieceBytes: number, pauseMs = 0): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += pieceBytes) {
    if (pauseMs > 0) await sleep(pauseMs);
    yield bytes.subarray(at, at + pieceBytes);
  }
}

async function* broken(): AsyncGenerator<Uint8Array> {
  yield sampleBytes(300_000);
  throw new Error("engine broke");
}

const refuse = (): Promise<void> => Promise.reject(new Error("the source has no file"));

async function readSlowly(source: AsyncIterable<Uint8Array>, pauseMs: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) {
    chunks.push(chunk);
    if (pauseMs > 0) await sleep(pauseMs);
  }
  return Buffer.concat(chunks);
}

describe("a stage in the archive folder", () => {
  it("is read by followers of different speeds while it is written, then published", async () => {
    const bytes = sampleBytes(6_000_000, 3);
    const staged = await openStage(options());
    expect(staged.place).toBe("local");
    expect(path.dirname(staged.path ?? "")).toBe(folder);
    let endedWriting = false;
    let overlapped = false;
    const fast = (async () => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of staged.openReader().read(0, signal)) {
        overlapped ||= !endedWriting;
        chunks.push(chunk);
      }
      return Buffer.concat(chunks);
    })();
    const readers = [
      fast,
      readSlowly(staged.openReader().read(0, signal), 15),
      readSlowly(staged.openReader().read(4_000_001, signal), 1),
    ];
    const facts = await staged.write(pieces(bytes, 70_001, 1), signal);
    endedWriting = true;
    expect(facts).toEqual({ sizeBytes: bytes.byteLength, sha256: sha256(bytes) });
    expect(await staged.finished).toEqual(facts);
    expect(staged.openReader().sizeBytes).toBe(bytes.byteLength);
    expect(fs.readdirSync(folder).filter((name) => !name.startsWith("."))).toEqual([]);
    expect(await staged.publishLocal()).toMatchObject({
      name: "a.tar.gz",
      sizeBytes: bytes.byteLength,
      verified: "size",
    });
    const late = readSlowly(staged.openReader().read(5_999_000, signal), 0);
    const [one, two, three] = await Promise.all(readers);
    expect(overlapped).toBe(true);
    expect([one, two].map((read) => sha256(read ?? Buffer.alloc(0)))).toEqual([facts.sha256, facts.sha256]);
    expect(three?.equals(bytes.subarray(4_000_001))).toBe(true);
    expect((await late).equals(bytes.subarray(5_999_000))).toBe(true);
    await staged.discard();
    await staged.discard();
    expect(fs.readdirSync(folder)).toEqual(["a.tar.gz"]);
    expect(sha256(fs.readFileSync(path.join(folder, "a.tar.gz")))).toBe(facts.sha256);
    expect(fs.existsSync(spool)).toBe(false);
  });

  it("gathers tiny pieces and keeps their order, also where the writer reuses its buffer", async () => {
    const bytes = sampleBytes(900_000, 5);
    const staged = await openStage(options());
    async function* reusing(): AsyncGenerator<Uint8Array> {
      const shared = Buffer.alloc(65_536);
      for (let at = 0, length = 1; at < bytes.byteLength; at += length, length = (length * 7 + 1) % 65_537) {
        const part = bytes.subarray(at, at + length);
        shared.set(part);
        yield shared.subarray(0, part.byteLength);
      }
    }
    expect((await staged.write(reusing(), signal)).sha256).toBe(sha256(bytes));
    expect(sha256(fs.readFileSync(staged.path ?? ""))).toBe(sha256(bytes));
    await staged.discard();
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it("holds an archive of no bytes", async () => {
    const staged = await openStage(options());
    expect(await staged.write(pieces(Buffer.alloc(0), 1), signal)).toEqual({
      sizeBytes: 0,
      sha256: sha256(Buffer.alloc(0)),
    });
    expect(await readSlowly(staged.openReader().read(0, signal), 0)).toHaveLength(0);
    await staged.discard();
  });

  it("takes the engine's word for the checksum, and not for the size", async () => {
    const bytes = sampleBytes(1000);
    const first = await openStage(options());
    expect(
      await first.write(pieces(bytes, 100), signal, { result: Promise.resolve({ sizeBytes: 1000, sha256: "word" }) }),
    ).toEqual({ sizeBytes: 1000, sha256: "word" });
    await first.discard();
    const second = await openStage(options());
    expect(
      await failureOf(
        second.write(pieces(bytes, 100), signal, { result: Promise.resolve({ sizeBytes: 999, sha256: "word" }) }),
      ),
    ).toHaveProperty("code", "unavailable");
    await second.discard();
    expect(fs.readdirSync(folder)).toEqual([]);
  });
});

describe("failures", () => {
  it("of the archive reach the writer and every reader as they are, and leave nothing", async () => {
    const staged = await openStage(options());
    const reader = readSlowly(staged.openReader().read(0, signal), 0);
    const finished = staged.finished;
    const outcomes = await Promise.allSettled([
      staged.write(broken(), signal),
      reader,
      finished,
      readSlowly(staged.openReader().read(0, signal), 0),
    ]);
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ status: "rejected", reason: { message: "engine broke" } });
    await staged.discard();
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it("of the last check keep readers from ever seeing the end", async () => {
    const staged = await openStage(options());
    const reader = readSlowly(staged.openReader().read(0, signal), 0);
    const outcomes = await Promise.allSettled([
      staged.write(pieces(sampleBytes(100_000), 1000), signal, { confirm: refuse }),
      reader,
    ]);
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ status: "rejected", reason: { message: "the source has no file" } });
    await staged.discard();
  });

  it("an abort ends writing and reading at once, even where the engine hangs", async () => {
    const staged = await openStage(options());
    const controller = new AbortController();
    const never = new Promise<never>(() => undefined);
    async function* hanging(): AsyncGenerator<Uint8Array> {
      yield sampleBytes(100_000);
      await never;
    }
    const startedAt = performance.now();
    setTimeout(() => controller.abort(new Error("stop")), 50);
    const outcomes = await Promise.allSettled([
      staged.write(hanging(), controller.signal),
      readSlowly(staged.openReader().read(0, controller.signal), 0),
    ]);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ status: "rejected", reason: { message: "stop" } });
    await staged.discard();
    expect(fs.readdirSync(folder)).toEqual([]);
  });

  it("discarding ends readers that are not done", async () => {
    const staged = await openStage(options());
    const reader = failureOf(readSlowly(staged.openReader().read(0, signal), 0));
    await sleep(20);
    await staged.discard();
    expect(await reader).toHaveProperty("message", expect.stringContaining("discarded"));
  });
});

describe("where it goes", () => {
  it("is the spool without a local destination: private, and gone after discard", async () => {
    const staged = await openStage(options({ local: undefined }));
    expect(staged.place).toBe("spool");
    expect(fs.statSync(spool).mode & 0o777).toBe(0o700);
    expect(fs.statSync(staged.path ?? "").mode & 0o777).toBe(0o600);
    await staged.write(pieces(sampleBytes(1000), 100), signal);
    expect(await failureOf(staged.publishLocal())).toBeInstanceOf(Error);
    await staged.discard();
    expect(fs.readdirSync(spool)).toEqual([]);
  });

  it("is the spool for the others where the archive folder is missing, and says why", async () => {
    const notes: string[] = [];
    const local = createLocalDestination({ folder: path.join(root, "missing") });
    const staged = await openStage(options({ local, onNote: (text) => notes.push(text) }));
    expect(staged).toMatchObject({
      place: "spool",
      local: undefined,
      localFailure: { destination: local, error: { code: "not-found" } },
    });
    expect(notes).toEqual([expect.stringContaining("does not exist")]);
    await staged.discard();
    expect(await failureOf(openStage(options({ local, spoolFolder: undefined })))).toHaveProperty("code", "not-found");
    fs.writeFileSync(path.join(root, "file"), "");
    const nowhere = await failureOf(openStage(options({ local, spoolFolder: path.join(root, "file", "spool") })));
    expect(nowhere).toMatchObject({ code: "invalid", hint: expect.stringContaining("SPOOL_DIR") });
  });

  it("is nowhere where the estimate does not fit: sizes are said and nothing is left", async () => {
    const error = await failureOf(openStage(options({ neededBytes: 1e18, spoolFolder: undefined })));
    expect(error).toMatchObject({
      code: "full",
      message: expect.stringMatching(/not enough space in .*: [\d.]+ [kMGTP]?B free, about 1000 PB needed/),
    });
    expect(fs.readdirSync(folder)).toEqual([]);
    await failureOf(openStage(options({ neededBytes: 1e18 })));
    expect(fs.readdirSync(folder)).toEqual([]);
    expect(fs.readdirSync(spool)).toEqual([]);
  });
});

it("cleans the spool of dead runs, and nothing else", async () => {
  expect(await cleanSpool(spool)).toBe(0);
  const staged = await openStage(options({ local: undefined }));
  fs.writeFileSync(path.join(spool, path.basename(staged.path ?? "").replace(`-${process.pid}-`, "-4194999-")), "half");
  fs.writeFileSync(path.join(spool, "kept.tar.gz"), "x");
  expect(await cleanSpool(spool)).toBe(1);
  expect(fs.existsSync(staged.path ?? "")).toBe(true);
  await staged.discard();
  expect(fs.readdirSync(spool)).toEqual(["kept.tar.gz"]);
});
