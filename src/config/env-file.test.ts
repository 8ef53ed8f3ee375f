import { describe, expect, it } from "vitest";
import { parseEnvFile } from "./env-file.ts";

function parse(text: string | Buffer, environment: Record<string, string> = {}): ReturnType<typeof parseEnvFile> {
  return parseEnvFile(typeof text === "string" ? Buffer.from(text) : text, environment);
}

function values(text: string | Buffer, environment: Record<string, string> = {}): Record<string, string> {
  const { pairs, problems } = parse(text, environment);
  expect(problems).toEqual([]);
  return Object.fromEntries([...pairs].map(([key, { value }]) => [key, value]));
}

function problemLines(text: string | Buffer): string[] {
  return parse(text).problems.map(({ line, key }) => `${line} ${key ?? "-"}`);
}

describe("unquoted values", () => {
  it.each([
    ["A=a b  c \n", "a b  c"],
    ["A=pass#word # comment # more", "pass#word"],
    ["A= #c", "#c"],
    ["A=#c # d", "#c"],
    ["A=C:\\new\\$X", "C:\\new$X"],
    ["A=backup-%Y.{{ .Extension }}", "backup-%Y.{{ .Extension }}"],
    ['A=it\'s "so"', 'it\'s "so"'],
    ["A: b=c", "b=c"],
    ["export A = 1", "1"],
    ["A=$$ $1 $(x) $", "$$ $1 $(x) $"],
    ["A=", ""],
    ["\ufeffA=1\r\n", "1"],
    ["A=x\u00a0", "x"],
    ["# CRLF up to the last line\r\nA=1\r", "1"],
    ["A='1'\r", "1"],
  ])("%j", (text, expected) => {
    expect(values(text)).toEqual({ A: expected });
  });
});

describe("quoted values", () => {
  it.each([
    ["A='a \\n $X \"#' # c", 'a \\n $X "#'],
    ['A="\\n\\r\\t\\"\\\\\\$X\\.log$"', '\n\r\t"\\$X\\.log$'],
    ['A="a\r\nb # c\n"  ', "a\nb # c\n"],
    ["A='x\n\ny'\n", "x\n\ny"],
    ['A="x"#c', "x"],
  ])("%j", (text, expected) => {
    expect(values(text)).toEqual({ A: expected });
  });
});

describe("variables", () => {
  it.each([
    ["A=$X-${X}", "1-1"],
    ["A=${NOPE:-d e}f", "d ef"],
    ["A=${E:-d}${X:-e}", "d1"],
    ["A=${NOPE:-${E:-$X}}", "1"],
    ['A="${NOPE:-a\\"b}"', 'a"b'],
    ["A=${NOPE:-\"q}\"}${NOPE:-'$X'}", "q}$X"],
    ["A=${NOPE:-a # b} # c", "a # b"],
    ["A=${NOPE:-backup-{{ .Extension }}}", "backup-{{ .Extension }}"],
    ["A=$S ", "s "],
    ["A=$E $X $NOPE  ${E} # comment", "1"],
    ["A=$NOPE $S", "s "],
    ["A=${NOPE:- } x", "  x"],
    ['A="$E $E"', " "],
    ["A=$constructor$__proto__", ""],
  ])("%j", (text, expected) => {
    expect(values(text, { X: "1", E: "", S: "s " })).toEqual({ A: expected });
  });

  it("sees earlier lines, which win over the environment", () => {
    expect(values("A=1\nB=$A\nA=2\nC=$A$B", { A: "0" })).toEqual({ A: "2", B: "1", C: "21" });
  });

  it("reports what is unset, with key and line", () => {
    const { unset } = parse("A=$NO\nB=\"x\n$NO ${NO} ${NO:-$MORE} ${X:-$NOT_NEEDED}\"\nC='$NO'", { X: "1" });
    expect(unset).toEqual([
      { name: "NO", key: "A", line: 1 },
      { name: "NO", key: "B", line: 3 },
      { name: "NO", key: "B", line: 3 },
      { name: "MORE", key: "B", line: 3 },
    ]);
  });

  it("ends values that double each other", () => {
    const { problems } = parse(`A=xxxxxxxx\n${"A=$A$A\n".repeat(100)}`);
    expect(problems[0]?.message).toContain("too much text");
  });
});

describe("problems", () => {
  it("collects all of them, with line and key, and reads on", () => {
    const file = 'A=1\nnothing\nB C=2\nD="x"y\nE=${X:=1}\nF=${\n=1\nG=a\0b\nH=1\rI=2\nJ=\'x\nK=1\n';
    expect(problemLines(file)).toEqual(["2 -", "3 -", "4 D", "5 E", "6 F", "7 -", "8 G", "9 H", "10 J"]);
    expect([...parse(file).pairs.keys()]).toEqual(["A", "K"]);
  });

  it("names the line of the quote that was not closed, and takes no quoted text for keys", () => {
    const file = 'A="-----BEGIN\nabc\ndEf=\nABC==\nB="2"\nC=3\nD=\'\n# it is\nE=5';
    expect(problemLines(file)).toEqual(["1 A", "7 D"]);
    expect([...parse(file).pairs].map(([key, { line }]) => `${key} ${line}`)).toEqual(["B 5", "C 6", "E 9"]);
  });

  it("finds bytes that may stand nowhere", () => {
    expect(problemLines(Buffer.from([0x23, 0xff, 0x0a, 0x41, 0x3d, 0xe9, 0x0a, 0x42, 0x3d, 0x31]))).toEqual([
      "1 -",
      "2 A",
    ]);
    expect(parse(Buffer.from("\ufeffA=1\n", "utf16le")).problems.map(({ message }) => message)).toEqual([
      expect.stringContaining("UTF-16"),
    ]);
    expect(values("A=\ufffd")).toEqual({ A: "\ufffd" });
  });

  it("lists keys that were given before", () => {
    const { repeated, pairs } = parse("A=1\nB=1\nA=2\n");
    expect(repeated).toEqual([{ key: "A", line: 3 }]);
    expect(pairs.get("A")).toEqual({ value: "2", line: 3 });
  });

  it("shows of a wrong key only what is surely a setting's name", () => {
    const messages = [
      "BACKUP_FILENAME x=y",
      "SSH_PASSWORD pass:word",
      "hunter2/secret=x",
      "hunter2",
      "hunter two=x",
      "HUNTER 2=x",
    ].map((text) => parse(text).problems[0]?.message ?? "");
    expect(messages[0]).toContain('"BACKUP_FILENAME …"');
    expect(messages[1]).toContain('"SSH_PASSWORD …"');
    expect(messages.join("\n")).not.toMatch(/hunter| pass|:word/i);
  });
});

it("calls a key repeated only where it was given before, wrong or not", () => {
  const repeatedIn = (text: string): string[] =>
    parseEnvFile(Buffer.from(text), {}).repeated.map(({ key, line }) => `${key}:${line}`);
  expect(repeatedIn("A=${X^^}\n")).toEqual([]);
  expect(repeatedIn("A=1\nA=${X^^}\nA=2\n")).toEqual(["A:2", "A:3"]);
});
