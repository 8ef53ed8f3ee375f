/** Names that stand for themselves after a `$`, one character long: Go's "shell special variables". */
const SPECIAL = /[*#$@!?0-9-]/;

/**
 * Go's `os.Expand`: replaces `$name` and `${name}`; an unknown name becomes nothing, `${}` and an unclosed `${` are eaten,
 * a `$` that starts no name stays.
 */
export function expandVariables(text: string, lookup: (name: string) => string | undefined): string {
  let out = "";
  let copied = 0;
  // Without it, a text full of unclosed braces would be searched to its end for each of them.
  const lastBrace = text.lastIndexOf("}");
  for (let at = text.indexOf("$"); at !== -1 && at + 1 < text.length; at = text.indexOf("$", copied)) {
    const { name, length, isBroken } = variableAt(text, at + 1, lastBrace);
    out += text.slice(copied, at);
    if (name !== "") out += lookup(name) ?? "";
    else if (!isBroken) out += "$";
    copied = at + 1 + length;
  }
  return out + text.slice(copied);
}

function variableAt(
  text: string,
  start: number,
  lastBrace: number,
): { name: string; length: number; isBroken: boolean } {
  const first = text.charAt(start);
  if (first === "{") {
    if (SPECIAL.test(text.charAt(start + 1)) && text[start + 2] === "}") {
      return { name: text.charAt(start + 1), length: 3, isBroken: false };
    }
    const end = start > lastBrace ? -1 : text.indexOf("}", start + 1);
    if (end === -1) return { name: "", length: 1, isBroken: true };
    const name = text.slice(start + 1, end);
    return { name, length: end + 1 - start, isBroken: name === "" };
  }
  if (SPECIAL.test(first)) return { name: first, length: 1, isBroken: false };
  const word = /[A-Za-z0-9_]*/y;
  word.lastIndex = start;
  const name = word.exec(text)?.[0] ?? "";
  return { name, length: name.length, isBroken: false };
}
