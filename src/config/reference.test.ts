import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { referencePage } from "../../scripts/write-reference.ts";

const read = (name: string): string => readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");

it("docs/configuration.md is what the declarations say (`npm run docs` writes it)", () => {
  expect(read("configuration.md")).toBe(referencePage(read("configuration.head.md")));
});
