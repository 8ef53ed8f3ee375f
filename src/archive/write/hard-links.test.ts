import { describe, expect, it } from "vitest";
import { createHardLinks } from "./hard-links.ts";

const file = {
  device: 1,
  inodeLow: 7,
  inodeHigh: 0,
  nlink: 3,
  sizeBytes: 100,
  mtimeSeconds: 1_700_000_000,
  mtimeNanoseconds: 5,
};

describe("a file with several names", () => {
  it("is found under its first until all of them were met", () => {
    const links = createHardLinks();
    expect(links.stored(file)).toBeUndefined();
    links.remember(file, "a");
    expect(links.stored(file)).toBe("a");
    expect(links.stored(file)).toBe("a");
    // A fourth name is another file, whose inode's number was free again.
    expect(links.stored(file)).toBeUndefined();
  });

  it("is told from others, whatever their numbers", () => {
    const links = createHardLinks();
    links.remember(file, "a");
    for (const other of [{ device: 2 }, { inodeLow: 8 }, { inodeHigh: 1 }, { inodeHigh: 2 ** 31 }]) {
      expect(links.stored({ ...file, ...other })).toBeUndefined();
    }
    const large = { ...file, inodeHigh: 2 ** 32 - 1, inodeLow: 2 ** 32 - 1 };
    links.remember(large, "large");
    expect(links.stored({ ...large, inodeLow: 2 ** 32 - 2 })).toBeUndefined();
    expect(links.stored(large)).toBe("large");
  });

  it.each([{ sizeBytes: 101 }, { mtimeSeconds: 1_700_000_001 }, { mtimeNanoseconds: 6 }])(
    "is not taken for what it was before it changed, or for one whose inode's number it has: %j",
    (change) => {
      const links = createHardLinks();
      links.remember(file, "a");
      const changed = { ...file, ...change };
      expect(links.stored(changed)).toBeUndefined();
      links.remember(changed, "b");
      expect(links.stored(changed)).toBe("b");
      expect(links.stored(file)).toBeUndefined();
    },
  );

  it("is forgotten rather than remembered without a bound, and there is room again when others are done", () => {
    const links = createHardLinks(10_000);
    for (let inodeLow = 0; inodeLow < 1_000; inodeLow += 1) links.remember({ ...file, inodeLow, nlink: 2 }, "path");
    const known = Array.from({ length: 1_000 }, (_, inodeLow) => links.stored({ ...file, inodeLow }));
    const count = known.filter((path) => path !== undefined).length;
    expect(count).toBeGreaterThan(40);
    expect(count).toBeLessThan(100);
    links.remember({ ...file, inodeLow: 5_000 }, "later");
    expect(links.stored({ ...file, inodeLow: 5_000 })).toBe("later");
  });
});
