import { expect, it } from "vitest";
import type { ArchiveResult, EntryCounts, NoticeKind } from "../contracts/archive.ts";
import { judgeArchive, medianOf } from "./judge-archive.ts";

const counts = (files: number): EntryCounts => ({ files, directories: 1, symlinks: 0, hardlinks: 0, others: 0 });

function result(sources: readonly [string, number, string?][], change: Partial<ArchiveResult> = {}): ArchiveResult {
  return {
    sizeBytes: 1000,
    sha256: "00",
    blocks: 1,
    blocksSha256: "00",
    counts: counts(1),
    bytesRead: 1,
    incomplete: 0,
    compressor: "none",
    notices: {},
    sources: sources.map(([path, files, error]) => ({
      path,
      counts: counts(files),
      bytesRead: 0,
      ...(error === undefined ? {} : { error }),
    })),
    ...change,
  };
}

it("refuses an archive without any file and names every source", () => {
  const { fatal, mayPrune } = judgeArchive(
    result([
      ["/backup/a", 0],
      ["/backup/b", 0, "ENOENT: no such file"],
    ]),
    [],
    50,
  );
  expect(fatal).toContain("/backup/a (no files in it)");
  expect(fatal).toContain("/backup/b (ENOENT: no such file)");
  expect(mayPrune).toBe(false);
});

it("points at the excludes where there are some", () => {
  const { fatal } = judgeArchive(result([["/backup", 0]]), [], 50, ["BACKUP_EXCLUDE_REGEXP"]);
  expect(fatal).toContain("/backup (no files in it but those that BACKUP_EXCLUDE_REGEXP leaves out, if any)");
});

it("warns of one empty source among several", () => {
  const judged = judgeArchive(
    result([
      ["/a", 3],
      ["/b", 0],
    ]),
    [],
    50,
  );
  expect(judged.fatal).toBeUndefined();
  expect(judged.warnings).toEqual(["nothing was found in the source /b (no files in it)"]);
});

it("tells missing content from mere remarks", () => {
  const notices: Partial<Record<NoticeKind, number>> = { vanished: 2, socket: 1, grew: 1 };
  const judged = judgeArchive(result([["/a", 3]], { notices }), [], 50);
  expect(judged.warnings).toHaveLength(1);
  expect(judged.warnings[0]).toContain("2 paths: vanished");
  expect(judged.notes).toHaveLength(2);
});

it.each([
  [499, [1000, 1000, 1000], 50, false],
  [500, [1000, 1000, 1000], 50, true],
  [1, [1000], 0, true],
  [1, [], 50, true],
  // Only the newest five count: the sixth, small one would change the median.
  [100, [1000, 1000, 1000, 100, 100, 100, 100, 100], 50, false],
])("size %i after %j at %i %%: may prune %s", (sizeBytes, earlier, percent, mayPrune) => {
  const judged = judgeArchive(result([["/a", 1]], { sizeBytes }), earlier, percent);
  expect(judged.mayPrune).toBe(mayPrune);
  expect(judged.warnings.length > 0).toBe(!mayPrune);
});

it("takes the lower middle of an even number", () => {
  expect(medianOf([4, 1, 3, 2])).toBe(2);
  expect(medianOf([])).toBeUndefined();
});
