import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { failureOf, OWNER } from "../../test/conformance/harness.ts";
import { growingSource, sampleBytes } from "../../test/conformance/sources.ts";
import { createLocalDestination } from "../destinations/local/local.ts";
import { openStage } from "./staging.ts";

const MB = 1024 * 1024;
const signal = AbortSignal.timeout(120_000);

function mountProblem(): string | undefined {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "lifeboat-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], { stdio: "pipe" });
    execFileSync("umount", [folder]);
    return undefined;
  } catch {
    return "mounting a tmpfs is not permitted here";
  } finally {
    fs.rmdirSync(folder);
  }
}

const problem = mountProblem();

async function* endless(): AsyncGenerator<Uint8Array> {
  while (true) yield sampleBytes(MB);
}

describe.skipIf(problem !== undefined)(
  `a disk that runs full${problem === undefined ? "" : ` (skipped: ${problem})`}`,
  () => {
    let folder: string;
    beforeEach(() => {
      folder = fs.mkdtempSync(path.join(os.tmpdir(), "lifeboat-"));
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=40m", "tmpfs", folder]);
    });
    afterEach(() => {
      // A test that failed may still hold a file there open.
      execFileSync("umount", ["--lazy", folder]);
      fs.rmdirSync(folder);
    });
    const local = (): ReturnType<typeof createLocalDestination> => createLocalDestination({ folder });
    const options = { name: "a.tar", owner: OWNER, spoolFolder: undefined, neededBytes: 0, signal };

    it("ends a stage with an error in sizes; the older archive and nothing else is left", async () => {
      await local().put("old.tar", growingSource(sampleBytes(MB)), { area: "archive", owner: OWNER, signal });
      const staged = await openStage({ ...options, local: local() });
      const error = await failureOf(staged.write(endless(), signal));
      expect(error).toMatchObject({
        code: "full",
        message: expect.stringMatching(
          /^not enough space in .*: [\d.]+ k?M?B free after [\d.]+ MB of the archive were written$/,
        ),
        hint: expect.stringContaining("BACKUP_RETENTION_DAYS"),
      });
      await staged.discard();
      expect(fs.readdirSync(folder)).toEqual(["old.tar"]);
    });

    it("ends a put the same way, and a record still fits", async () => {
      const error = await failureOf(
        local().put("a.tar", growingSource(sampleBytes(45 * MB), MB, 0), { area: "archive", owner: OWNER, signal }),
      );
      expect(error).toHaveProperty("code", "full");
      expect(fs.readdirSync(folder)).toEqual([]);
      fs.writeFileSync(path.join(folder, "filler"), sampleBytes(39 * MB + 900_000));
      expect(await failureOf(openStage({ ...options, local: local() }))).toHaveProperty("code", "full");
      await local().put("site/r.json", growingSource(Buffer.from("{}")), { area: "record", owner: OWNER, signal });
      expect(fs.readFileSync(path.join(folder, ".lifeboat/site/r.json"), "utf8")).toBe("{}");
    });

    it("is seen before a byte is written where the estimate tells", async () => {
      expect(await failureOf(openStage({ ...options, local: local(), neededBytes: 60 * MB }))).toMatchObject({
        code: "full",
        message: expect.stringMatching(/free, about 62\.9 MB needed$/),
      });
      expect(fs.readdirSync(folder)).toEqual([]);
    });

    it("is seen when another program fills it, with a reserve left for the site", async () => {
      const staged = await openStage({ ...options, local: local() });
      async function* meanwhile(): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < 16; at += 1) yield sampleBytes(MB);
        fs.writeFileSync(path.join(folder, "other"), sampleBytes(23 * MB + 800_000));
        yield sampleBytes(100_000);
      }
      const outcome = await failureOf(staged.write(meanwhile(), signal));
      expect(outcome).toHaveProperty("code", "full");
      await staged.discard();
      expect(fs.readdirSync(folder)).toEqual(["other"]);
    });
  },
);
