import { afterEach, beforeEach, expect, it } from "vitest";
import { RunBox } from "../../test/delivery/run-box.ts";
import type { Destination } from "../contracts/destination.ts";
import type { Job } from "../contracts/job.ts";
import type { RunReport } from "../contracts/run.ts";
import { pickArchive, type FoundArchive } from "./archives.ts";

let box: RunBox;
let job: Job;
let report: RunReport;
beforeEach(async () => {
  box = new RunBox();
  const context = await box.context({}, AbortSignal.timeout(60_000));
  ({ job } = context);
  report = box.recorder(context).report("end");
});
afterEach(() => box.dispose());

function found(
  place: string,
  name: string,
  storedAt: number,
  more: { sizeBytes?: number; recordedBytes?: number; relation?: FoundArchive["relation"] } = {},
): FoundArchive {
  const { sizeBytes = 10, recordedBytes, relation = "own" } = more;
  const store = box.remote(place);
  const destination: Destination = { ...store, label: place, kind: place === "local" ? "local" : "s3" };
  const counts = { files: 1, directories: 1, symlinks: 0, hardlinks: 0, others: 0 };
  const rest = { sha256: "", compression: "gz", compressor: "", counts, bytesRead: 1, incomplete: 0 } as const;
  const record =
    recordedBytes === undefined ? undefined : { ...report, archive: { name, sizeBytes: recordedBytes, ...rest } };
  return { job, owner: job.name, relation, destination, object: { name, sizeBytes, storedAt }, record };
}

const pick = (wanted: string, ...archives: FoundArchive[]): string => {
  const { destination, object } = pickArchive(
    archives.toSorted((a, b) => b.object.storedAt - a.object.storedAt),
    wanted,
    [],
  );
  return `${object.name} ${destination.label}`;
};

it("of copies takes the local one, though the remote one was stored later", () => {
  const copies = [found("local", "a", 1), found("s3", "a", 2), found("local", "old", 0)];
  expect(pick("latest", ...copies)).toBe("a local");
  expect(pick("a", ...copies)).toBe("a local");
});

it("takes the newest, wherever it is", () => {
  expect(pick("latest", found("local", "a", 1), found("s3", "b", 2))).toBe("b s3");
});

it("takes a whole copy rather than a damaged one", () => {
  const copies = [
    found("local", "a", 3, { sizeBytes: 9, recordedBytes: 10 }),
    found("s3", "a", 2, { recordedBytes: 10 }),
  ];
  expect(pick("a", ...copies)).toBe("a s3");
  expect(pick("latest", ...copies)).toBe("a s3");
});

it("takes what another job stored only where it is named, and that of before a renaming where there is nothing else", () => {
  const other = found("local", "other", 9, { relation: "other" });
  const renamed = found("local", "renamed", 8, { relation: "renamed" });
  expect(pick("latest", other, renamed, found("local", "a", 1))).toBe("a local");
  expect(pick("latest", other, renamed)).toBe("renamed local");
  expect(() => pick("latest", other)).toThrow("there is no archive yet");
  expect(pick("other", other)).toBe("other local");
});
