import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { makeArchive, temporaryFolder } from "./make.ts";

const SECRET = "this lies outside of the source";
const SWAPS = 5_000;

it("archives no byte from outside while folders are swapped for links that lead there", { timeout: 120_000 }, async () => {
  using folder = temporaryFolder();
  const source = path.join(folder.path, "source");
  const outside = path.join(folder.path, "outside");
  for (const place of [path.join(source, "a/b/c"), path.join(outside, "b/c"), path.join(outside, "c")]) {
    mkdirSync(place, { recursive: true });
  }
  const inside = path.join(source, "a/b/c");
  for (const place of [inside, outside, path.join(outside, "b"), path.join(outside, "b/c"), path.join(outside, "c")]) {
    for (let number = 0; number < 30; number += 1) writeFileSync(path.join(place, `file-${number}`), place === inside ? "inside" : SECRET);
  }
  const swapper = spawn("python3", [path.join(import.meta.dirname, "swap_links.py"), source, outside, String(SWAPS)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(swapper, "exit");
  try {
    await once(swapper.stdout, "data");
    let archives = 0;
    let withContent = 0;
    while (swapper.exitCode === null) {
      const { bytes, result } = await makeArchive([source], { hardlinks: archives % 2 === 0 ? "copy" : "link" });
      expect(bytes.includes(SECRET)).toBe(false);
      archives += 1;
      if (result.counts.files > 0) withContent += 1;
    }
    await ended;
    expect(swapper.exitCode).toBe(0);
    expect(archives).toBeGreaterThan(10);
    expect(withContent).toBeGreaterThan(0);
  } finally {
    swapper.kill("SIGKILL");
  }
});
