import { describe, expect, it } from "vitest";
import { parseBool } from "../../src/golang/bool.ts";
import { formatDuration, parseDuration } from "../../src/golang/duration.ts";
import { strftime } from "../../src/golang/strftime.ts";
import { hasLists, outcome, readRecorded, REFUSED, title } from "./recorded.ts";

interface BoolCase {
  readonly input: string;
  readonly value?: boolean;
}

interface Durations {
  readonly parse: readonly {
    readonly input: string;
    readonly ns?: string;
    readonly string?: string;
    readonly error?: string;
  }[];
  readonly format: readonly { readonly ns: string; readonly string: string }[];
}

interface StrftimeCase {
  readonly instant: string;
  readonly zone: string;
  readonly values: Readonly<Record<string, string>>;
}

const booleans = readRecorded("bool.json", hasLists<{ cases: readonly BoolCase[] }>("cases")).cases;
const durations = readRecorded("duration.json", hasLists<Durations>("parse", "format"));
const instants = readRecorded("strftime.json", hasLists<{ cases: readonly StrftimeCase[] }>("cases")).cases;

describe("booleans", () => {
  it.each(booleans.map((recorded) => ({ ...recorded, name: title(recorded.input) })))("$name", ({ input, value }) => {
    expect(parseBool(input)).toBe(value);
  });
});

describe("durations: read", () => {
  it.each(durations.parse.map((recorded) => ({ ...recorded, name: title(recorded.input) })))("$name", (recorded) => {
    const actual = outcome(() => {
      const ns = parseDuration(recorded.input);
      return { ns: ns.toString(), string: formatDuration(ns) };
    });
    expect(actual).toMatchObject(recorded.error === undefined ? { value: { ns: recorded.ns } } : REFUSED);
    expect(actual).toMatchObject(recorded.string === undefined ? {} : { value: { string: recorded.string } });
  });
});

describe("durations: written", () => {
  it.each(durations.format)("$ns", ({ ns, string }) => {
    expect(formatDuration(BigInt(ns))).toBe(string);
  });
});

describe("strftime", () => {
  for (const { instant, zone, values } of instants) {
    const cases = Object.entries(values).map(([format, text]) => ({ format, text, name: title(format) }));
    it.each(cases)(`${instant} in ${zone}: $name`, ({ format, text }) => {
      expect(strftime(format, Date.parse(instant), zone)).toBe(text);
    });
  }
});
