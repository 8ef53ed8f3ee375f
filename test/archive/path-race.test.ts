import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { CUT_RULE, blockCapacityBytes } from "../../src/archive/write/blocks.ts";
import { storeTree } from "../../src/archive/write/store-tree.ts";
import type { WalkOptions } from "../../src/archive/write/worker-protocol.ts";
import { makeArchive, temporaryFolder } from "./make.ts";

/** Another process swaps folders and files for links that lead out of the source, all the time. */

const SECRET = "this lies outside of the source";
const SWAPS = 5_000;

let folder: ReturnType<typeof temporaryFolder>;
let source: string;
let outside: string;

beforeEach(() => {
  folder = temporaryFolder();
  source = path.join(folder.path, "source");
  outside = path.join(folder.path, "outside");
  for (const place of ["a/b/c", "", "b", "b/c", "c"]) {
    const at = path.join(place === "a/b/c" ? source : outside, place);
    mkdirSync(at, { recursive: true });
    for (let number = 0; number < 3; number += 1)
      writeFileSync(path.join(at, `file-${number}`), at.startsWith(source) ? "inside" : SECRET);
  }
});
afterEach(() => folder[Symbol.dispose]());

/** Calls `archive` again and again until the links were swapped often enough. */
async function whileSwapping(what: "folders" | "file", archive: () => void | Promise<void>): Promise<number> {
  const program = [path.join(import.meta.dirname, "swap_links.py"), source, outside, String(SWAPS), what];
  const swapper = spawn("python3", program, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(swapper, "exit");
  let rounds = 0;
  try {
    await once(swapper.stdout, "data");
    while (swapper.exitCode === null) {
      await archive();
      rounds += 1;
      await setImmediate();
    }
    expect((await ended)[0]).toBe(0);
  } finally {
    swapper.kill("SIGKILL");
  }
  return rounds;
}

it.each(["folders", "file"] as const)(
  "no byte from outside is in any of many walks (%s)",
  { timeout: 120_000 },
  async (what) => {
    const options: WalkOptions = {
      sources: [source],
      hardlinks: "copy",
      excludeRegexp: undefined,
      excludeGlobs: [],
      ownPaths: [],
    };
    const buffer = Buffer.alloc(blockCapacityBytes(CUT_RULE));
    const kinds = new Set<string>();
    let withContent = 0;
    const walks = await whileSwapping(what, () => {
      const sink = {
        emptyBuffer: () => buffer,
        send(full: Buffer, bytes: number) {
          expect(full.subarray(0, bytes).includes(SECRET)).toBe(false);
          if (full.subarray(0, bytes).includes("inside")) withContent += 1;
        },
      };
      storeTree(options, CUT_RULE, sink, {
        onNotice: ({ kind }) => kinds.add(kind),
        onVisit: () => undefined,
        checkAbort: () => undefined,
      });
    });
    expect(walks).toBeGreaterThan(500);
    expect(withContent).toBeGreaterThan(0);
  },
);

it("no byte from outside is in an archive", { timeout: 120_000 }, async () => {
  await whileSwapping("folders", async () => {
    const { bytes } = await makeArchive([source], { hardlinks: "link" });
    expect(bytes.includes(SECRET)).toBe(false);
  });
});
