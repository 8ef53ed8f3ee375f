import { expect, it } from "vitest";
import { createRedactor } from "./redact.ts";

const secret = `p"a\\ss<é/+ w%(1)'`;

it.each([
  ["itself", secret],
  ["as JSON has it", JSON.stringify({ a: secret })],
  ["as PHP's JSON has it", String.raw`{"a":"p\"a\\ss<\u00e9\/+ w%(1)'"}`],
  ["as Go's JSON has it", JSON.stringify({ a: secret }).replace("<", String.raw`\u003c`)],
  ["in a path", encodeURIComponent(secret)],
  [
    "in a path, each special character escaped",
    `/${encodeURIComponent(secret).replace("(", "%28").replace(")", "%29").replace("'", "%27")}`,
  ],
  ["in a path, with small hexadecimal digits", encodeURIComponent(secret).toLowerCase()],
  ["in a form", String(new URLSearchParams({ a: secret }))],
  ["in a page", `<p>p&quot;a\\ss&lt;é/+ w%(1)&#39;</p>`],
  ["in a page that Go wrote", `<p>p&#34;a\\ss&lt;é/+ w%(1)&#39;</p>`],
  ["as base64", Buffer.from(secret).toString("base64")],
])("hides a secret %s", (_, text) => {
  const shown = createRedactor([secret])(`before ${text} after`);
  expect(shown).toMatch(/^before .*\*\*\*.* after$/);
  expect(shown).not.toMatch(/ss|w%|c3/i);
});

it("leaves what only looks like one", () => {
  expect(createRedactor(["hunter2"])("hunter22 and %20 and hunter")).toBe("***2 and %20 and hunter");
});
