import { describe, expect, it } from "vitest";
import { LISTED, OVERHEAD_BYTES, createNameStack, type NameStack } from "./name-stack.ts";

function push(names: NameStack, list: readonly string[], type: number = LISTED.file): void {
  names.push();
  for (const name of list) names.add(type, Buffer.from(`${name}\0`, "latin1"), 0);
  names.sort();
}

function rest(names: NameStack): string[] {
  const all: string[] = [];
  for (let name = names.next(); name !== undefined; name = names.next()) all.push(name);
  return all;
}

/** The same numbers every time, evenly spread below `limit`. */
function numbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

describe("names of a folder", () => {
  it.each<[string, (next: (limit: number) => number, at: number) => string]>([
    ["any bytes", (next) => String.fromCharCode(...Array.from({ length: 1 + next(6) }, () => 1 + next(255)))],
    ["long common beginnings", (next) => `${"x".repeat(next(200))}${next(50)}`],
    ["one beginning of another", (next) => "a".repeat(1 + next(255))],
    ["numbers in order", (_next, at) => String(at).padStart(9, "0")],
    ["numbers backwards", (_next, at) => String(1_000_000 - at)],
    ["two letters", (next) => Array.from({ length: 20 }, () => "ab"[next(2)]).join("")],
  ])("come in byte order: %s", (_title, make) => {
    for (const count of [0, 1, 2, 13, 200, 5_000]) {
      const next = numbers(count);
      const list = Array.from({ length: count }, (_, at) => make(next, at)).filter((name) => !/^\.\.?$/.test(name));
      const names = createNameStack();
      push(names, list);
      // Strings with a character for each byte compare in byte order.
      expect(rest(names)).toEqual(list.toSorted());
    }
  });

  it("leave out the folder itself and its parent, and nothing that looks like them", () => {
    const names = createNameStack();
    push(names, [".", "..", "...", ".a", "..a", "a"]);
    expect(rest(names)).toEqual(["...", "..a", ".a", "a"]);
  });

  it("come with what the listing said", () => {
    const names = createNameStack();
    names.push();
    names.add(LISTED.folder, Buffer.from("xb\0"), 1);
    names.add(LISTED.file, Buffer.from("a"), 0);
    names.sort();
    expect([names.next(), names.listedAs]).toEqual(["a", LISTED.file]);
    expect([names.next(), names.listedAs]).toEqual(["b", LISTED.folder]);
    expect(names.next()).toBeUndefined();
  });

  it("go on where they were when a folder below is done", () => {
    const names = createNameStack();
    push(names, ["b", "a", "c"]);
    expect(names.next()).toBe("a");
    push(names, ["z", "y"]);
    expect(names.next()).toBe("y");
    push(names, []);
    expect(names.next()).toBeUndefined();
    names.pop();
    expect(names.next()).toBe("z");
    names.pop();
    expect(rest(names)).toEqual(["b", "c"]);
  });

  it("may be longer than Linux's own file systems allow", () => {
    const names = createNameStack();
    push(names, ["n".repeat(3_000), "m".repeat(255)]);
    expect(rest(names).map(({ length }) => length)).toEqual([255, 3_000]);
  });

  it("take little more than their bytes, and nothing anew for the next folder", () => {
    const names = createNameStack();
    const list = Array.from({ length: 100_000 }, (_, at) => `attachment-${String(at).padStart(7, "0")}.jpg`);
    const packed = list.length * ((list[0]?.length ?? 0) + OVERHEAD_BYTES);
    push(names, list);
    // Doubling may leave half of it empty.
    expect(names.capacityBytes).toBeLessThan(2 * packed);
    const { capacityBytes } = names;
    names.pop();
    push(names, list);
    expect(names.capacityBytes).toBe(capacityBytes);
  });
});
