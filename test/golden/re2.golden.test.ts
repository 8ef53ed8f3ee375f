import { describe, expect, it } from "vitest";
import { compileRe2 } from "../../src/golang/re2.ts";
import { hasLists, outcome, readRecorded, REFUSED, title } from "./recorded.ts";

interface Re2Case {
  readonly id?: string;
  readonly pattern?: string;
  readonly pattern_base64?: string;
  readonly input?: string;
  readonly input_base64?: string;
  readonly invalid?: boolean;
  readonly match?: boolean;
  readonly span?: readonly [number, number];
}

const cases = readRecorded("re2.json", hasLists<{ cases: readonly Re2Case[] }>("cases")).cases;

function bytesOf(text: string | undefined, base64: string | undefined): Buffer {
  return base64 === undefined ? Buffer.from(text ?? "") : Buffer.from(base64, "base64");
}

describe("RE2", () => {
  it.each(
    cases.map((recorded, index) => ({
      ...recorded,
      name: `${recorded.id ?? index} ${title(recorded.pattern ?? "(bytes)")}`,
    })),
  )("$name", (recorded) => {
    const pattern = bytesOf(recorded.pattern, recorded.pattern_base64);
    const input = bytesOf(recorded.input, recorded.input_base64);
    const actual = outcome(() => {
      const compiled = compileRe2(recorded.pattern ?? pattern);
      const asText = recorded.input === undefined ? compiled.test(input) : compiled.test(recorded.input);
      return { match: compiled.test(input), asText, span: compiled.find(input) };
    });
    const isMatch = recorded.match === true;
    const expected = { match: isMatch, asText: isMatch, span: isMatch ? recorded.span : undefined };
    expect(actual).toEqual(recorded.invalid === true ? REFUSED : { value: expected });
  });
});
