import { type ByteString, fromBytes, runesOf, RUNE_ERROR, toBytes } from "./byte-string.ts";
import { CallError } from "./errors.ts";
import { sortedEntries } from "./sort-keys.ts";
import type { GoValue, Value } from "./types.ts";

const DEEPEST = 200;

/** Go's `json.Marshal`, or with an indent `json.MarshalIndent`. Throws `CallError` for what JSON can't say. */
export function toJson(value: Value, indent = ""): ByteString {
  return write(value, indent, "\n", 0);
}

function write(value: Value, indent: string, newline: string, depth: number): ByteString {
  if (depth > DEEPEST) throw new CallError("json: unsupported value: encountered a cycle");
  if (value === undefined) return "null";
  const custom = value.type.jsonText?.(value);
  if (custom?.kind === "string") return quoted(custom.v);
  switch (value.kind) {
    case "bool":
    case "int":
    case "uint":
      return String(value.v);
    case "float":
      return floatText(value.v);
    case "string":
      return quoted(value.v);
    case "pointer":
    case "interface":
      return write(value.v, indent, newline, depth + 1);
    case "slice":
      return sliceText(value, indent, newline, depth);
    case "map":
      if (value.v === undefined) return "null";
      return members(
        sortedByText(value).map(([key, element]) => [key, element] as const),
        { indent, newline, depth },
      );
    case "struct": {
      const fields = (value.type.fields ?? []).filter(({ name }) => /^\p{Lu}/u.test(name));
      return members(
        fields.map(({ name }) => [toBytes(name), value.v[name]] as const),
        { indent, newline, depth },
      );
    }
    case "complex":
    case "func":
      throw new CallError(`json: unsupported type: ${value.type.name}`);
  }
}

interface Layout {
  readonly indent: string;
  readonly newline: string;
  readonly depth: number;
}

/** Keys as JSON writes them, which for numbers is another order than their own. */
function sortedByText(map: GoValue & { kind: "map" }): (readonly [ByteString, GoValue])[] {
  return sortedEntries(map)
    .map(
      ([key, element]) =>
        [key.kind === "int" || key.kind === "uint" || key.kind === "string" ? String(key.v) : "", element] as const,
    )
    .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

function sliceText(value: GoValue & { kind: "slice" }, indent: string, newline: string, depth: number): ByteString {
  if (value.v === undefined) return "null";
  if (value.type.elem?.name === "uint8") {
    return `"${Buffer.from(value.v.map((byte) => Number(byte.v))).toString("base64")}"`;
  }
  const inner = indent === "" ? "" : newline + indent;
  return wrapped(
    "[]",
    value.v.map((element) => write(element, indent, newline + indent, depth + 1)),
    inner,
    indent === "" ? "" : newline,
  );
}

function members(entries: readonly (readonly [ByteString, Value])[], { indent, newline, depth }: Layout): ByteString {
  const inner = indent === "" ? "" : newline + indent;
  const shown = entries.map(
    ([key, element]) =>
      `${quoted(key)}:${indent === "" ? "" : " "}${write(element, indent, newline + indent, depth + 1)}`,
  );
  return wrapped("{}", shown, inner, indent === "" ? "" : newline);
}

function wrapped(brackets: string, items: readonly ByteString[], inner: string, outer: string): ByteString {
  if (items.length === 0) return brackets;
  return brackets.charAt(0) + inner + items.join(`,${inner}`) + outer + brackets.charAt(1);
}

/** As ES6 writes numbers, with Go's exponents. */
function floatText(value: number): string {
  if (!Number.isFinite(value)) {
    throw new CallError(`json: unsupported value: ${Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf"}`);
  }
  if (Object.is(value, -0)) return "-0";
  return String(value);
}

const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

/** With `<`, `>`, `&` and the line separators escaped, as Go does for HTML's sake. */
function quoted(bytes: ByteString): ByteString {
  let out = '"';
  for (const { rune, at, size } of runesOf(bytes)) {
    const char = bytes.slice(at, at + size);
    if (rune === RUNE_ERROR && size === 1) out += "\\ufffd";
    else if (rune < 0x20 || rune === 0x2028 || rune === 0x2029 || '"\\<>&'.includes(fromBytes(char))) {
      out += SHORT[char] ?? `\\u${rune.toString(16).padStart(4, "0")}`;
    } else out += char;
  }
  return `${out}"`;
}
