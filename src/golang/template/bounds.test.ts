import { describe, expect, it } from "vitest";
import { notificationHelpers } from "./helpers.ts";
import { createTemplateSet, TemplateRunError, TemplateSyntaxError } from "./index.ts";
import { anyMap, integer, stringList, text } from "./values.ts";

const set = createTemplateSet(notificationHelpers((name) => (name === "SHOWN" ? "yes" : undefined)));
const data = anyMap([
  ["name", text("web")],
  ["list", stringList(["a", "b"])],
  ["n", integer(3)],
]);

function run(source: string): string {
  return set.add({ name: "t", text: source }).run("t", data);
}

describe("a template can't run forever or exhaust the memory", () => {
  it.each([
    ["a template that calls itself", '{{define "a"}}{{template "a"}}{{end}}{{template "a"}}'],
    [
      "two that call each other",
      '{{define "a"}}{{template "b"}}{{end}}{{define "b"}}{{template "a"}}{{end}}{{template "a"}}',
    ],
    ["a range without end", "{{range 9000000000000000000}}{{end}}"],
    ["ranges within ranges", "{{range 10000}}{{range 10000}}{{range 10000}}{{end}}{{end}}{{end}}"],
    ["much output", '{{range 100000}}{{printf "%1000d" 1}}{{end}}'],
    ["a variable that doubles", '{{$x := "xx"}}{{range 64}}{{$x = print $x $x}}{{end}}{{len $x}}'],
    ["long texts that are thrown away", '{{range 1000000}}{{$x := printf "%1000000d" 1}}{{end}}'],
    ["many long arguments", `{{$x := printf "%1000000d" 1}}{{print ${"$x ".repeat(2000)}}}`],
    ["a call tree", '{{define "a"}}{{range 10}}{{template "a" .}}{{end}}{{end}}{{template "a" .}}'],
  ])("%s", (_name, source) => {
    expect(() => run(source)).toThrow(TemplateRunError);
  });

  it.each([
    ["parentheses", `{{${"(".repeat(5000)}1${")".repeat(5000)}}}`],
    ["blocks", `${"{{if 1}}".repeat(5000)}${"{{end}}".repeat(5000)}`],
    ["else ifs", `{{if 1}}${"{{else if 1}}".repeat(20000)}{{end}}`],
    ["definitions", '{{define "a"}}'.repeat(5000)],
  ])("deep nesting of %s is refused", (_name, source) => {
    expect(() => run(source)).toThrow(TemplateSyntaxError);
  });
});

describe("a template sees its data and nothing else", () => {
  it.each(["constructor", "__proto__", "toString", "hasOwnProperty", "prototype"])("no %s", (name) => {
    expect(run(`{{.${name}}}{{.name | print}}`)).toBe("<no value>web");
    expect(() => run(`{{${name} .}}`)).toThrow(TemplateSyntaxError);
    expect(() => run(`{{.name.${name}}}`)).toThrow(TemplateRunError);
    expect(run(`{{index . "${name}"}}`)).toBe("<no value>");
  });

  it("reads only the environment that it is given", () => {
    expect(run('{{env "SHOWN"}}[{{env "PATH"}}]')).toBe("yes[]");
  });
});

it("a later file's definitions win, unless they are empty", () => {
  const base = set.add({ name: "base", text: '{{define "title"}}base{{end}}{{define "body"}}text{{end}}' });
  const both = base.add({
    name: "own.tmpl",
    text: '{{define "title"}}own {{template "body"}}{{end}}{{define "body"}}  {{end}}',
  });
  expect(both.run("title", data)).toBe("own text");
  expect(both.has("nothing")).toBe(false);
});

it("names the file and the line of an error", () => {
  expect(() => set.add({ name: "mail.tmpl", text: "a\n{{ .x" })).toThrow(/^template: mail\.tmpl:2: unclosed action$/);
  const broken = set.add({ name: "mail.tmpl", text: '{{define "title"}}\n\n{{.name.x}}{{end}}' });
  expect(() => broken.run("title", data)).toThrow(/^template: mail\.tmpl:3: can't evaluate field x/);
});

it("survives any text", () => {
  const pieces = [
    "{{",
    "}}",
    "{{-",
    "-}}",
    "(",
    ")",
    "|",
    ".",
    "$",
    "$x",
    ":=",
    "=",
    '"',
    "`",
    "'",
    "if",
    "else",
    "end",
    "range",
  ];
  const more = [
    "with",
    "define",
    "template",
    "block",
    "break",
    ".name",
    ".list",
    " ",
    "\n",
    "é",
    "\u0000",
    "1",
    "-",
    "0x",
    "printf",
    "%v",
    ",",
  ];
  let state = 42;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const all = [...pieces, ...more];
  for (let round = 0; round < 20_000; round += 1) {
    const source = Array.from({ length: 1 + next(14) }, () => all[next(all.length)]).join(next(2) === 0 ? "" : " ");
    try {
      run(source);
    } catch (thrown) {
      const isExpected = thrown instanceof TemplateSyntaxError || thrown instanceof TemplateRunError;
      expect(isExpected, `${JSON.stringify(source)}: ${String(thrown)}`).toBe(true);
    }
  }
});
