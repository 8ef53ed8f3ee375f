import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { listAll, OWNER } from "../../test/conformance/harness.ts";
import { sampleBytes, sha256 } from "../../test/conformance/sources.ts";
import { createLocalDestination } from "../destinations/local/local.ts";

const ROUNDS = 10;
const SIZE_BYTES = 2_000_000;

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "lifeboat-"));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

/** Stages and publishes archives for ever: three names in turn, each content known by its seed. */
const WRITER = `
  const { openStage } = await import(${JSON.stringify(new URL("./staging.ts", import.meta.url).href)});
  const { createLocalDestination } = await import(${JSON.stringify(new URL("../destinations/local/local.ts", import.meta.url).href)});
  const { sampleBytes } = await import(${JSON.stringify(new URL("../../test/conformance/sources.ts", import.meta.url).href)});
  const [folder, owner] = [process.argv[1], JSON.parse(process.argv[2])];
  const local = createLocalDestination({ folder, latestSymlink: "latest" });
  const signal = new AbortController().signal;
  const contents = [0, 1, 2].map((seed) => sampleBytes(${SIZE_BYTES}, seed + 1));
  process.stdout.write("ready");
  for (let at = 0; ; at = (at + 1) % 3) {
    const staged = await openStage({ name: "a" + at + ".tar", owner, local, spoolFolder: undefined, neededBytes: 0, signal });
    async function* pieces() {
      for (let from = 0; from < ${SIZE_BYTES}; from += 100_000) yield contents[at].subarray(from, from + 100_000);
    }
    await staged.write(pieces(), signal);
    await staged.publishLocal();
    await staged.discard();
  }
`;

it(
  `killed at ${ROUNDS} random moments, it never leaves a partial archive, and the next run removes the rest`,
  { timeout: 120_000 },
  async () => {
    let seed = 20_261_122;
    let leftovers = 0;
    const hashes = [1, 2, 3].map((content) => sha256(sampleBytes(SIZE_BYTES, content)));
    const local = createLocalDestination({ folder });
    for (let round = 0; round < ROUNDS; round += 1) {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      const child = spawn(process.execPath, ["--input-type=module", "-e", WRITER, folder, JSON.stringify(OWNER)], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      await once(child.stdout, "data");
      await new Promise((resolve) => setTimeout(resolve, 5 + (seed % 150)));
      child.kill("SIGKILL");
      await once(child, "exit");
      for (const archive of await listAll(local, "archive")) {
        const content = fs.readFileSync(path.join(folder, archive.name));
        expect(sha256(content)).toBe(hashes[Number(archive.name[1])]);
      }
      const linked = fs.readdirSync(folder).includes("latest");
      expect(fs.existsSync(path.join(folder, "latest"))).toBe(linked);
      leftovers += fs.readdirSync(folder).filter((name) => name.endsWith(".partial")).length;
      await local.removeLeftovers(OWNER, AbortSignal.timeout(20_000));
      expect(fs.readdirSync(folder).filter((name) => name.endsWith(".partial"))).toEqual([]);
    }
    // Otherwise no kill ever met a write, and nothing was shown.
    expect(leftovers).toBeGreaterThan(0);
  },
);
