import { describe, expect, it } from "vitest";
import { parseEnvFile } from "./env-file.ts";

/** A generator that gives the same numbers for the same seed (mulberry32). */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Stands for every secret: in no other piece, and in no message. */
const SECRET = "hUnTeR2+/";

const PIECES = [
  "=",
  ":",
  "#",
  "'",
  '"',
  "\\",
  "$",
  "`",
  "{",
  "}",
  "\n",
  "\n",
  "\n",
  "\r",
  "\t",
  " ",
  "\0",
  "A",
  "export ",
  "BACKUP_FILENAME=",
  "KEY: ",
  "${",
  "${A:-",
  "$A",
  "${B}",
  "\r\n",
  "\u00a0",
  "é",
  "\ufeff",
  " #",
  SECRET,
  `K='${SECRET}`,
  `K="${SECRET}\n${SECRET}"`,
  `K=${SECRET}\n`,
] as const;

function hostileFile(pick: (below: number) => number): Buffer {
  const parts: Buffer[] = [];
  for (let count = pick(60); count >= 0; count -= 1) {
    const isByte = pick(40) === 0;
    parts.push(isByte ? Buffer.of(pick(256)) : Buffer.from(PIECES[pick(PIECES.length)] ?? ""));
  }
  return Buffer.concat(parts);
}

describe("any file at all", () => {
  it("is read without a throw, without a value in a message, with true line numbers", () => {
    for (let seed = 1; seed <= 3000; seed += 1) {
      const file = hostileFile(random(seed));
      const lines = file.toString("latin1").split("\n").length;
      const { pairs, problems, unset, repeated } = parseEnvFile(file, { A: SECRET });
      // The name behind a `$` is data for the caller, who knows which settings are secret.
      const places = unset.map(({ key, line }) => ({ key, line }));
      expect(JSON.stringify([problems, places, repeated]), `seed ${seed}`).not.toContain("hUnTeR2");
      for (const { line } of [...problems, ...unset, ...repeated, ...pairs.values()]) {
        expect(line >= 1 && line <= lines, `seed ${seed}`).toBe(true);
      }
    }
  });

  it("gives back what was written in single quotes", () => {
    const pick = random(7);
    for (let round = 0; round < 500; round += 1) {
      const value = Array.from({ length: pick(30) }, () => PIECES[pick(PIECES.length)] ?? "")
        .join("")
        .replaceAll(/['\0\r]/g, "");
      const { pairs, problems } = parseEnvFile(Buffer.from(`K='${value}'\nLAST=1`), {});
      expect([problems, pairs.get("K")?.value, pairs.get("LAST")?.value]).toEqual([[], value, "1"]);
    }
  });

  it.each([
    ["A=", "x", 1],
    ["", "A=b\n", 1],
    ["", "A=$NO\n", 1],
    ['A="', "$NO\n", 0],
    ["A=", "${A:-", 0],
    ["", "A=${A:-'x}\n", 1],
    ["", "A='\nB=\"\n", 2],
    ['A="', '\\"', 0],
    ["A=", "a#", 1],
    ["", " ", 0],
    ["", "\r", 0],
    ["", "\0\n", 0],
    ["", '"\n', 0],
  ])("takes ten megabytes of %j%j in bounded time and memory", (start, repeated, pairs) => {
    const file = Buffer.from(start + repeated.repeat(10_000_000 / repeated.length));
    const started = performance.now();
    const parsed = parseEnvFile(file, {});
    expect(parsed.pairs.size).toBe(pairs);
    expect(parsed.problems.length + parsed.unset.length).toBeLessThan(1500);
    // Quadratic time would be hours.
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});
