import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { sampleBytes } from "../../../test/conformance/sources.ts";
import { planBlocks } from "./blocks.ts";
import { createContentHash } from "./content-hash.ts";
import { endpointsOf } from "./options.ts";

const MIB = 1024 * 1024;

describe("how much is on its way", () => {
  it.each([
    [6, undefined, { inFlight: 6, blockBytes: 4 * MIB }],
    [1, undefined, { inFlight: 1, blockBytes: 8 * MIB }],
    [4, undefined, { inFlight: 4, blockBytes: 8 * MIB }],
    [1_000, undefined, { inFlight: 12, blockBytes: 4 * MIB }],
    // A hosting panel's default, and less than that.
    [6, 350_000_000, { inFlight: 6, blockBytes: 4 * MIB }],
    [6, 180_000_000, { inFlight: 3, blockBytes: 4 * MIB }],
    [6, 100_000_000, { inFlight: 1, blockBytes: 4 * MIB }],
  ])("level %j in a container of %j bytes", (level, memory, plan) => {
    expect(planBlocks(level, memory ?? Number.POSITIVE_INFINITY)).toEqual(plan);
  });
});

describe("the content hash", () => {
  it.each([0, 1, 4 * MIB - 1, 4 * MIB, 4 * MIB + 1, 9 * MIB])("of %j bytes is Dropbox's", (size) => {
    const bytes = sampleBytes(size);
    const whole = createHash("sha256");
    for (let at = 0; at < size; at += 4 * MIB)
      whole.update(
        createHash("sha256")
          .update(bytes.subarray(at, at + 4 * MIB))
          .digest(),
      );
    const hash = createContentHash();
    hash.update(bytes.subarray(0, 8 * MIB));
    if (size > 8 * MIB) hash.update(bytes.subarray(8 * MIB));
    expect(hash.digest()).toBe(whole.digest("hex"));
  });
});

describe("addresses", () => {
  const real = {
    api: "https://api.dropboxapi.com",
    content: "https://content.dropboxapi.com",
    token: "https://api.dropboxapi.com",
  };
  it.each([
    [undefined, undefined, real],
    // The default of the image that Lifeboat replaces, written out.
    ["https://api.dropbox.com/", "https://api.dropbox.com/", { ...real, token: "https://api.dropbox.com" }],
    ["http://x:1/", undefined, { api: "http://x:1", content: "http://x:1", token: "http://x:1" }],
    ["http://x:1", "http://y:2/", { api: "http://x:1", content: "http://x:1", token: "http://y:2" }],
  ])("%j and %j", (api, token, expected) => {
    expect(endpointsOf(api, token)).toEqual(expected);
  });
});
