import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { expect, it } from "vitest";
import { listAll, OWNER } from "../../../test/conformance/harness.ts";
import { sampleBytes } from "../../../test/conformance/sources.ts";
import type { Area } from "../../contracts/destination.ts";
import { DestinationError } from "../../lib/errors.ts";
import { bufferSource } from "../buffer-source.ts";
import { createLocalDestination } from "./local.ts";

const ROUNDS = 3_000;
const PARTS = [
  "..",
  ".",
  "/",
  "//",
  "\0",
  "a",
  "victim",
  "outside",
  "link",
  "dirlink",
  "sub",
  ".lifeboat",
  ".lb1-",
  ".partial",
  "%2e%2e",
  "\\",
  "\n",
  " ",
  "~",
  "$HOME",
  "*",
  "ü",
  "\ud800",
  "\u202e",
  "x".repeat(250),
  "../outside/victim",
  "/etc/passwd",
  "/proc/self/environ",
  "proc/self/fd/3",
  "-rf",
  "existing.tar",
  "fifo",
];

/** Every path outside the archive folder and everything foreign in it, with content, mode and link target. */
function fingerprint(root: string): string {
  const lines: string[] = [];
  for (const name of fs.readdirSync(root, { recursive: true, encoding: "utf8" }).toSorted()) {
    const target = path.join(root, name);
    const stat = fs.lstatSync(target);
    const content = stat.isSymbolicLink()
      ? fs.readlinkSync(target)
      : stat.isFile()
        ? createHash("sha256").update(fs.readFileSync(target)).digest("hex")
        : "";
    lines.push(`${name} ${stat.mode.toString(8)} ${content}`);
  }
  return lines.join("\n");
}

it(
  `no name of ${ROUNDS} hostile ones creates, changes or removes anything outside its folder`,
  { timeout: 120_000 },
  async () => {
    const root = fs.mkdtempSync(path.join(os.tmpdir(), "lifeboat-"));
    try {
      const outside = path.join(root, "outside");
      const folder = path.join(root, "box", "archive");
      fs.mkdirSync(outside);
      fs.mkdirSync(folder, { recursive: true });
      fs.writeFileSync(path.join(outside, "victim"), "precious");
      const plantForeign = (): void => {
        for (const below of [folder, path.join(folder, ".lifeboat")]) {
          fs.mkdirSync(below, { recursive: true });
          if (!fs.existsSync(path.join(below, "dirlink"))) fs.symlinkSync(outside, path.join(below, "dirlink"));
          if (!fs.existsSync(path.join(below, "link")))
            fs.symlinkSync(path.join(outside, "victim"), path.join(below, "link"));
        }
      };
      plantForeign();
      fs.mkdirSync(path.join(folder, "sub"));
      fs.writeFileSync(path.join(folder, "sub", "inside"), "precious");
      const before = [
        fingerprint(outside),
        fingerprint(path.join(folder, "sub")),
        fs.readdirSync(root).join(),
        fs.readdirSync(path.join(root, "box")).join(),
      ];

      let seed = 7;
      const random = (below: number): number => {
        seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
        return Math.floor((seed / 2 ** 32) * below);
      };
      const hostileName = (): string =>
        Array.from({ length: 1 + random(4) }, () => PARTS[random(PARTS.length)] ?? "").join(random(3) === 0 ? "/" : "");
      const body = bufferSource(sampleBytes(64));
      const signal = AbortSignal.timeout(100_000);
      let refused = 0;
      for (let round = 0; round < ROUNDS; round += 1) {
        const name = hostileName();
        const area: Area = random(2) === 0 ? "archive" : "record";
        const local = createLocalDestination({ folder, ...(random(4) === 0 ? { latestSymlink: hostileName() } : {}) });
        try {
          const action = random(4);
          if (action === 0) await local.put(name, body, { area, owner: OWNER, signal });
          else if (action === 1) (await local.get(area, name, undefined, signal)).destroy();
          else if (action === 2) await local.remove(area, name, signal);
          else {
            const stage = await local.stage?.(name, OWNER);
            await (random(2) === 0 ? stage?.publish() : stage?.discard());
          }
        } catch (error) {
          if (!(error instanceof DestinationError)) throw error;
          refused += 1;
        }
      }
      expect(refused).toBeGreaterThan(ROUNDS / 4);
      expect(refused).toBeLessThan(ROUNDS);
      expect([
        fingerprint(outside),
        fingerprint(path.join(folder, "sub")),
        fs.readdirSync(root).join(),
        fs.readdirSync(path.join(root, "box")).join(),
      ]).toEqual(before);
      expect(
        fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".partial")),
      ).toEqual([]);
      expect(fs.readdirSync(path.join(root, "box"))).toEqual(["archive"]);
      for (const { name } of await listAll(createLocalDestination({ folder }), "archive"))
        expect(name).not.toContain("/");
      // As root these would be real damage; they exist on every system this runs on.
      expect(fs.readFileSync("/etc/passwd", "utf8")).toContain("root:");
    } finally {
      fs.rmSync(root, { recursive: true });
    }
  },
);
