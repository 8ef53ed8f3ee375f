import { type ByteString, isPrint, runesOf, toBytes } from "./byte-string.ts";
import { printable } from "./printable.ts";
import { sprint } from "./printf.ts";
import { type Value } from "./types.ts";
import { bytes } from "./values.ts";

const HTML: Readonly<Record<string, string>> = {
  "\0": toBytes("\ufffd"),
  '"': "&#34;",
  "'": "&#39;",
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
};

/** Go templates' `html`. */
export function escapeHtml(args: readonly Value[]): ByteString {
  return asText(args).replaceAll(/["'&<>\0]/g, (char) => HTML[char] ?? char);
}

const JS: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "'": "\\'",
  '"': '\\"',
  "<": "\\u003C",
  ">": "\\u003E",
  "&": "\\u0026",
  "=": "\\u003D",
};

/** Go templates' `js`: for inside a JavaScript string. */
export function escapeJs(args: readonly Value[]): ByteString {
  let out = "";
  const input = asText(args);
  for (const { rune, at, size } of runesOf(input)) {
    const special = rune < 0x80 ? JS[String.fromCharCode(rune)] : undefined;
    if (special !== undefined) out += special;
    else if (rune >= 0x20 && rune < 0x80) out += String.fromCharCode(rune);
    else if (rune >= 0x80 && isPrint(rune)) out += input.slice(at, at + size);
    else out += `\\u${rune.toString(16).toUpperCase().padStart(4, "0")}`;
  }
  return out;
}

/** Go templates' `urlquery` (`url.QueryEscape`). */
export function escapeQuery(args: readonly Value[]): ByteString {
  return asText(args).replaceAll(/[^A-Za-z0-9\-_.~]/g, (char) =>
    char === " " ? "+" : `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}

function asText(args: readonly Value[]): ByteString {
  const [only] = args;
  if (args.length === 1 && only?.kind === "string" && only.type.name === "string") return only.v;
  return sprint(args.map((value) => (value === undefined ? bytes("<no value>") : printable(value))));
}
