import { describe, expect, it } from "vitest";
import { completeReport, seeded, smallReport } from "./fixtures/sample-report.ts";
import { parseRunReport } from "./report-json.ts";

const throughJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

it("keeps every field of a report", () => {
  expect(parseRunReport(throughJson(completeReport()))).toEqual(completeReport());
  expect(parseRunReport(throughJson(smallReport()))).toEqual(smallReport());
});

it("drops unknown fields, also ones that would reach a prototype", () => {
  const json = JSON.stringify(smallReport()).replace(
    "{",
    '{"extra":1,"__proto__":{"job":"evil"},"constructor":{"prototype":{"x":1}},',
  );
  expect(parseRunReport(JSON.parse(json))).toEqual(smallReport());
  expect(Object.hasOwn(Object.prototype, "x")).toBe(false);
});

it("takes nothing from a prototype", () => {
  const { job: _, ...rest } = smallReport();
  expect(parseRunReport(Object.assign(Object.create({ job: "inherited" }), rest))).toBeUndefined();
});

it.each([
  undefined,
  null,
  true,
  1,
  "x",
  [],
  {},
  [smallReport()],
  { ...smallReport(), version: 2 },
  { ...smallReport(), version: "1" },
])("refuses what is no report: %j", (value) => {
  expect(parseRunReport(value)).toBeUndefined();
});

describe("refuses a field that is not what it should be", () => {
  it.each([
    ["id", "../../etc/passwd"],
    ["id", ""],
    ["id", "a/b"],
    ["id", `a${"b".repeat(200)}`],
    ["id", "-rf"],
    ["id", 12],
    ["job", ""],
    ["job", ".."],
    ["job", "a/b"],
    ["job", "a\u0000b"],
    ["job", "a\nb"],
    ["job", "x".repeat(300)],
    ["trigger", "toString"],
    ["trigger", "cron"],
    ["status", "__proto__"],
    ["status", "ok"],
    ["status", null],
    ["firedAt", "yesterday"],
    ["firedAt", "2026-13-45T00:00:00Z"],
    ["startedAt", 1_700_000_000_000],
    ["endedAt", "x"],
    ["pid", -1],
    ["pid", "12"],
    ["pid", 1e300],
    ["steps", {}],
    ["steps", [null]],
    ["steps", [[]]],
    ["warnings", ["text"]],
    ["host", {}],
    ["error", []],
  ])("%s: %j", (key, value) => {
    expect(parseRunReport({ ...smallReport(), [key]: value })).toBeUndefined();
  });

  it.each([
    ["name", "a/../b"],
    ["name", "."],
    ["sha256", "AB".repeat(32)],
    ["sizeBytes", -1],
    ["sizeBytes", Number.NaN],
    ["counts", []],
    ["compression", "bz2"],
  ])("archive %s: %j", (key, value) => {
    const archive = { ...completeReport().archive, [key]: value };
    expect(parseRunReport({ ...completeReport(), archive })).toBeUndefined();
  });
});

it("frees texts of what a terminal would act on, and cuts them", () => {
  const report = parseRunReport({
    ...smallReport(),
    error: "\u001b[31mred\u001b[0m \u202Egpj.exe \u2028 tab\tand\nline",
    host: "h".repeat(1_000_000),
    warnings: Array.from({ length: 50_000 }, () => ({ level: "note", text: "n".repeat(10_000) })),
  });
  expect(report?.error).toBe("\uFFFD[31mred\uFFFD[0m \uFFFDgpj.exe \uFFFD tab\tand\nline");
  expect(report?.host.length).toBe(1000);
  expect(report?.warnings.length).toBe(1000);
  expect(report?.warnings[0]?.text.length).toBe(4000);
});

it("never throws, and gives back only what it would accept again, for thousands of damaged records", () => {
  const random = seeded(7);
  const whole = JSON.stringify(completeReport());
  const odd: readonly unknown[] = [
    null,
    [],
    {},
    "",
    -1,
    1e308,
    true,
    "\ud800",
    "x".repeat(5000),
    { length: 3 },
    [[[]]],
  ];
  let accepted = 0;
  for (let round = 0; round < 4000; round += 1) {
    let value: unknown;
    if (round % 2 === 0) {
      const bytes = Buffer.from(whole);
      for (let hits = 0; hits < 3; hits += 1) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      try {
        value = JSON.parse(bytes.toString("utf8"));
      } catch {
        continue;
      }
    } else {
      value = JSON.parse(whole, (_, item: unknown) =>
        random() < 0.02 ? odd[Math.floor(random() * odd.length)] : item,
      );
    }
    const report = parseRunReport(value);
    if (report === undefined) continue;
    accepted += 1;
    expect(parseRunReport(throughJson(report))).toEqual(report);
  }
  expect(accepted).toBeGreaterThan(200);
});
