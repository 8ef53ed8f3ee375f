import { describe, expect, it } from "vitest";
import { notificationHelpers } from "../../src/golang/template/helpers.ts";
import { createTemplateSet, TemplateRunError, TemplateSyntaxError } from "../../src/golang/template/index.ts";
import type { Value } from "../../src/golang/template/types.ts";
import { hasLists, readOwn, readRecorded, title } from "./recorded.ts";
import { readValue, type Written } from "./template-data.ts";

interface Case {
  readonly id: string;
  readonly group: string;
  readonly template: string;
  readonly data: Written;
  readonly output?: string;
  readonly error?: "parse" | "exec";
  readonly line?: number;
}

interface Recorded {
  readonly cases: readonly Case[];
  readonly datasets: Readonly<Record<string, Written>>;
  readonly env: Readonly<Record<string, string>>;
}

type Outcome = { readonly output: string } | { readonly error: "parse" | "exec"; readonly line: number };

function run({ template, data }: Case, { env, datasets }: Recorded): Outcome {
  const set = createTemplateSet(notificationHelpers((name) => env[name]));
  const refer = (name: string): Value => readValue(datasets[name] ?? null, refer);
  try {
    return { output: set.add({ name: "t", text: template }).run("t", readValue(data, refer)) };
  } catch (thrown) {
    if (thrown instanceof TemplateSyntaxError) return { error: "parse", line: thrown.line };
    if (thrown instanceof TemplateRunError) return { error: "exec", line: thrown.line };
    throw thrown;
  }
}

const sample = readRecorded("templates.json", hasLists<Recorded>("cases"));
const generated = readOwn("templates-more.json", hasLists<Recorded>("cases"));

describe.each([
  { of: "recorded", recorded: sample },
  { of: "generated", recorded: generated },
])("templates, $of", ({ recorded }) => {
  for (const entry of recorded.cases) {
    it(`${entry.id} ${title(entry.template)}`, () => {
      const { output, error, line } = entry;
      expect(run(entry, recorded)).toEqual(error === undefined ? { output } : { error, line });
    });
  }
});
