import { type ByteString, runesOf } from "./byte-string.ts";
import { type FormatState, pad } from "./format-state.ts";
import { canBackquote, quote } from "./quote.ts";

/** A string (or bytes as one) under `%v`, `%s`, `%x`, `%X` or `%q`. */
export function formatString(text: ByteString, verb: string, state: FormatState): ByteString {
  switch (verb) {
    case "x":
    case "X":
      return hexBytes(text, verb, state);
    case "q":
      return quoted(truncated(text, state), state);
    default:
      return verb === "v" && state.sharpV ? quoted(truncated(text, state), state) : pad(truncated(text, state), state);
  }
}

/** Precision counts runes. */
function truncated(text: ByteString, { precision }: FormatState): ByteString {
  if (precision === undefined) return text;
  let left = precision;
  for (const { at } of runesOf(text)) {
    left -= 1;
    if (left < 0) return text.slice(0, at);
  }
  return text;
}

function quoted(text: ByteString, state: FormatState): ByteString {
  if (state.sharp && canBackquote(text)) return pad(`\`${text}\``, state);
  return pad(quote(text, { asciiOnly: state.plus }), state);
}

/** Two digits a byte; precision counts bytes, a blank separates them, `#` puts `0x` in front of all or, with blanks, each. */
function hexBytes(text: ByteString, verb: "x" | "X", state: FormatState): ByteString {
  const shown = state.precision === undefined ? text : text.slice(0, state.precision);
  const prefix = state.sharp ? `0${verb}` : "";
  const digits = Array.from(shown, (char) => {
    const hex = char.charCodeAt(0).toString(16).padStart(2, "0");
    return verb === "X" ? hex.toUpperCase() : hex;
  });
  if (digits.length === 0) return pad("", state);
  const joined = state.space ? digits.map((pair) => prefix + pair).join(" ") : prefix + digits.join("");
  return pad(joined, state);
}
