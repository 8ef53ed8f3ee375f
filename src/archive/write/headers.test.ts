import { describe, expect, it } from "vitest";
import type { EntryHeader } from "./headers.ts";
import { prepareHeader, writeHeader } from "./headers.ts";
import { splitPath } from "./pax.ts";

function entry(changes: Partial<EntryHeader> = {}): EntryHeader {
  return {
    type: "file",
    path: "backup/a",
    mode: 0o644,
    uid: 1000,
    gid: 1000,
    sizeBytes: 5,
    mtimeSeconds: 1_700_000_000,
    mtimeNanoseconds: 0,
    linkPath: "",
    deviceMajor: 0,
    deviceMinor: 0,
    ...changes,
  };
}

function encode(header: EntryHeader): Buffer {
  const prepared = prepareHeader(header);
  const target = Buffer.alloc(prepared.bytes + 20, 0xaa);
  writeHeader(target, 10, prepared);
  expect(target.subarray(0, 10).every((byte) => byte === 0xaa)).toBe(true);
  expect(target.subarray(prepared.bytes + 10).every((byte) => byte === 0xaa)).toBe(true);
  return target.subarray(10, prepared.bytes + 10);
}

describe("a header", () => {
  it("that fits ustar is one record of exactly these bytes", () => {
    const bytes = encode(entry());
    expect(bytes).toHaveLength(512);
    const expected = Buffer.alloc(512);
    expected.write("backup/a", 0, "latin1");
    expected.write(
      ["0000644", "0001750", "0001750", "00000000005", "14524770400", "        0"].join("\0"),
      100,
      "latin1",
    );
    expected.write("ustar\u000000", 257, "latin1");
    expected.write("0000000\u00000000000\0", 329, "latin1");
    let sum = 256;
    expected.forEach((byte, at) => {
      sum += at >= 148 && at < 156 ? 0 : byte;
    });
    expected.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
    expect(bytes).toEqual(expected);
  });

  it("depends on nothing but the entry", () => {
    const odd = entry({ path: `${"x".repeat(300)}\xff`, mtimeSeconds: -1, mtimeNanoseconds: 999_999_995 });
    expect(encode(odd)).toEqual(encode(odd));
  });

  it("keeps what does not fit for the extended header, with zeros in ustar", () => {
    const bytes = encode(entry({ uid: 2_097_152, gid: 4_294_967_294, sizeBytes: 2 ** 33 }));
    expect(bytes).toHaveLength(512 * 3);
    expect(bytes.toString("latin1", 512, 512 + 51)).toBe("19 size=8589934592\n15 uid=2097152\n18 gid=4294967294");
    expect(bytes.toString("latin1", 1024 + 108, 1024 + 136)).toBe("0000000\x000000000\x0000000000000\0".slice(0, 28));
  });
});

describe("extended records", () => {
  it.each<[string, Partial<EntryHeader>, string]>([
    ["none where ustar says it all", {}, ""],
    ["largest ustar values", { uid: 2_097_151, gid: 2_097_151, sizeBytes: 2 ** 33 - 1 }, ""],
    ["nanoseconds", { mtimeSeconds: 1_700_000_000, mtimeNanoseconds: 1 }, "30 mtime=1700000000.000000001\n"],
    ["without zeros at the end", { mtimeSeconds: 1, mtimeNanoseconds: 500_000_000 }, "13 mtime=1.5\n"],
    ["before 1970", { mtimeSeconds: -1, mtimeNanoseconds: 999_999_999 }, "22 mtime=-0.000000001\n"],
    ["seconds before 1970", { mtimeSeconds: -2, mtimeNanoseconds: 0 }, "12 mtime=-2\n"],
    ["fractions before 1970", { mtimeSeconds: -2, mtimeNanoseconds: 500_000_000 }, "14 mtime=-1.5\n"],
    ["beyond 2242", { mtimeSeconds: 8_589_934_592, mtimeNanoseconds: 0 }, "20 mtime=8589934592\n"],
    ["UTF-8", { path: "\xc3\xa9" }, "11 path=\xc3\xa9\n"],
    ["not UTF-8", { path: "\xe9" }, "21 hdrcharset=BINARY\n9 path=\xe9\n"],
    ["link not UTF-8", { type: "symlink", linkPath: "\xff" }, "21 hdrcharset=BINARY\n14 linkpath=\xff\n"],
    ["length that counts its own digits", { path: "\xc3\xa9".repeat(46) }, `102 path=${"\xc3\xa9".repeat(46)}\n`],
  ])("%s", (_title, changes, expected) => {
    expect(prepareHeader(entry(changes)).pax).toBe(expected);
  });

  it("have the length that they state", () => {
    for (let length = 1; length < 1_200; length += 1) {
      const text = prepareHeader(entry({ path: "/".padEnd(length, "x") + "\x80" })).pax.slice(21);
      expect(Number.parseInt(text, 10)).toBe(text.length);
    }
  });
});

describe("a path", () => {
  it.each([
    ["a".repeat(100), { prefix: "", name: "a".repeat(100) }],
    ["a".repeat(101), undefined],
    [`${"p".repeat(155)}/${"n".repeat(100)}`, { prefix: "p".repeat(155), name: "n".repeat(100) }],
    [`${"p".repeat(156)}/${"n".repeat(99)}`, undefined],
    [`${"p".repeat(50)}/${"n".repeat(101)}`, undefined],
    [`/${"n".repeat(100)}`, undefined],
    [`${"p".repeat(101)}/`, undefined],
    [`p/${"d".repeat(99)}/`, { prefix: "p", name: `${"d".repeat(99)}/` }],
    ["d/".repeat(100), { prefix: `${"d/".repeat(49)}d`, name: "d/".repeat(50) }],
    ["\xe9", undefined],
  ])("%s is split where ustar allows", (path, expected) => {
    expect(splitPath(path)).toEqual(expected);
  });
});
