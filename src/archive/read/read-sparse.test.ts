import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { extractArchive, type ExtractNotice, type ExtractResult } from "./extract.ts";
import { inPieces, pythonTar, tree } from "./extract-fixture.ts";

const SIZE_BYTES = 6_000_001;

let work: string;
let target: string;
let notices: ExtractNotice[];

beforeEach(() => {
  work = mkdtempSync(path.join(os.tmpdir(), "lifeboat-"));
  target = path.join(work, "target");
  notices = [];
});

afterEach(() => rmSync(work, { recursive: true, force: true }));

function restore(tar: Buffer): Promise<ExtractResult> {
  const { signal } = new AbortController();
  const onNotice = (notice: ExtractNotice): number => notices.push(notice);
  return extractArchive(inPieces(tar, 10_000), target, { archiveName: "site.tar", signal, onNotice });
}

/** Content at each of these places, zeros between them. */
function content(stretches: readonly (readonly [number, string])[], sizeBytes = SIZE_BYTES): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  for (const [at, text] of stretches) bytes.write(text, at);
  return bytes;
}

const MANY = Array.from({ length: 60 }, (_, at) => [at * 98_304 + 7, `stretch ${at}`] as const);

describe("files with holes", () => {
  it.each([
    ["GNU tar's old format", "tar", ["--format=gnu", "--sparse"]],
    ["PAX 0.0", "tar", ["--format=posix", "--sparse", "--sparse-version=0.0"]],
    ["PAX 0.1", "tar", ["--format=posix", "--sparse", "--sparse-version=0.1"]],
    ["PAX 1.0", "tar", ["--format=posix", "--sparse", "--sparse-version=1.0"]],
    ["bsdtar", "bsdtar", ["--format=pax"]],
  ])("are restored with their holes: %s", async (_name, program, options) => {
    const files: Record<string, Buffer> = {
      many: content(MANY),
      [`${"n".repeat(120)}-end`]: content([[SIZE_BYTES - 3, "end"]]),
      start: content([[0, "start"]]),
      none: content([]),
      "z-dense": Buffer.from("dense"),
    };
    const source = path.join(work, "backup");
    mkdirSync(source);
    for (const [name, bytes] of Object.entries(files)) makeSparse(path.join(source, name), bytes);
    execFileSync(program, [...options, "-cf", path.join(work, "a.tar"), "-C", work, "backup"]);

    const result = await restore(readFileSync(path.join(work, "a.tar")));

    expect([notices, result.incomplete, result.counts.files]).toEqual([[], 0, 5]);
    for (const [name, bytes] of Object.entries(files)) {
      expect(readFileSync(path.join(target, "backup", name)).equals(bytes), name).toBe(true);
    }
    const { blocks } = statSync(path.join(target, "backup", "none"));
    // As far as the file system knows of holes at all.
    expect(blocks).toBeLessThanOrEqual(statSync(path.join(source, "none")).blocks);
  });

  it.each([
    ["overlaps", "0,2,1,1"],
    ["is not of what is stored", "0,1"],
    ["leads behind the end", "98,3"],
    ["has half a stretch", "0,3,5"],
    ["has no numbers", "x,y"],
  ])("fail alone where their list %s", async (_name, list) => {
    const headers = `{"GNU.sparse.size": "100", "GNU.sparse.name": "real", "GNU.sparse.map": "${list}"}`;
    await restore(pythonTar(`add("a", "abc", pax_headers=${headers}); add("b", "2")`));
    expect(tree(target)).toEqual({ b: "2" });
    expect(notices).toMatchObject([{ kind: "unsupported", path: "real", incomplete: true }]);
  });

  it.each(["9999999999\n", "2\n0\n3\n", "1\n0\n4\n", "no number"])(
    "fail alone with %j in their content",
    async (text) => {
      const headers = `{"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "100"}`;
      await restore(
        pythonTar(`add("a", ${JSON.stringify(text)}.ljust(512, "\\0") + "abc", pax_headers=${headers}); add("b", "2")`),
      );
      expect(tree(target)).toEqual({ b: "2" });
      expect(notices).toMatchObject([{ kind: "unsupported", path: "a", incomplete: true }]);
    },
  );
});

/** Writes only the parts that are not zeros, so that the rest is holes where the file system can have them. */
function makeSparse(file: string, bytes: Buffer): void {
  writeFileSync(file, "");
  truncateSync(file, bytes.length);
  execFileSync(
    "python3",
    [
      "-c",
      "import sys\ndata = sys.stdin.buffer.read()\nwith open(sys.argv[1], 'r+b') as f:\n" +
        "  for at in range(0, len(data), 4096):\n    if any(data[at:at+4096]): f.seek(at); f.write(data[at:at+4096])",
      file,
    ],
    { input: bytes },
  );
}
