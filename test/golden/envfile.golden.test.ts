import { describe, expect, it } from "vitest";
import { parseEnvFile } from "../../src/config/env-file.ts";
import { hasLists, readRecorded, REFUSED, title } from "./recorded.ts";

interface Expected {
  readonly pairs?: Readonly<Record<string, string>>;
  readonly error?: boolean | string;
  /** The grammar does not say: anything but a crash will do. */
  readonly unclear?: string;
}

interface EnvCase extends Expected {
  readonly id?: string;
  readonly file?: string;
  readonly file_base64?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What the grammar gives where it differs from the recording. */
  readonly ours?: Expected;
}

interface EnvCases {
  readonly env?: Readonly<Record<string, string>>;
  readonly cases: readonly EnvCase[];
}

const { cases, env: sharedEnvironment } = readRecorded("envfile.json", hasLists<EnvCases>("cases"));

describe("env files", () => {
  it.each(
    cases.map((recorded, index) => ({
      ...recorded,
      name: `${recorded.id ?? index} ${title(recorded.file ?? "(bytes)")}`,
    })),
  )("$name", ({ file, file_base64: base64, env, ours, ...recorded }) => {
    const content = base64 === undefined ? Buffer.from(file ?? "") : Buffer.from(base64, "base64");
    const parsed = parseEnvFile(content, { TZ: "UTC", ...sharedEnvironment, ...env });
    const expected: Expected = ours ?? recorded;
    const isRefused = parsed.problems.length > 0;
    const values = Object.fromEntries([...parsed.pairs].map(([key, { value }]) => [key, value]));
    const actual = isRefused ? REFUSED : { value: values };
    const wanted = expected.error === undefined ? { value: expected.pairs } : REFUSED;
    expect(actual).toEqual(expected.unclear === undefined ? wanted : actual);
  });
});
