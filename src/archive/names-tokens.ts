import { DAYS, MONTHS } from "../golang/strftime.ts";

/** A piece of a name: literal text, or all texts that one strftime verb can give. */
export type NameToken =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "number"; readonly digits: number; readonly min: number; readonly max: number }
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "zone" };

const literal = (text: string): NameToken => ({ kind: "literal", text });
const number = (digits: number, min: number, max: number): NameToken => ({ kind: "number", digits, min, max });
const words = (list: readonly string[]): NameToken => ({ kind: "words", words: list });
const initials = (list: readonly string[]): NameToken => words(list.map((word) => word.slice(0, 3)));

const YEAR = number(4, 0, 9999);
const SHORT_YEAR = number(2, 0, 99);
const MONTH = number(2, 1, 12);
const DAY = number(2, 1, 31);
const CLOCK = [number(2, 0, 23), literal(":"), number(2, 0, 59), literal(":"), number(2, 0, 59)];
const UNPADDED_DAY = words(Array.from({ length: 31 }, (_, index) => String(index + 1)));
const SPACE = literal(" ");

/** What `golang/strftime.ts` can give for each verb; one that is not here gives nothing. */
const VERBS: ReadonlyMap<string, readonly NameToken[]> = new Map([
  ["a", [initials(DAYS)]],
  ["A", [words(DAYS)]],
  ["w", [number(1, 0, 6)]],
  ["d", [DAY]],
  ["b", [initials(MONTHS)]],
  ["B", [words(MONTHS)]],
  ["m", [MONTH]],
  ["y", [SHORT_YEAR]],
  ["Y", [YEAR]],
  ["H", [number(2, 0, 23)]],
  ["I", [number(2, 1, 12)]],
  ["p", [words(["AM", "PM"])]],
  ["M", [number(2, 0, 59)]],
  ["S", [number(2, 0, 59)]],
  ["f", [number(6, 0, 999_999)]],
  ["z", [words(["+", "-"]), number(2, 0, 23), number(2, 0, 59)]],
  ["Z", [{ kind: "zone" }]],
  ["j", [number(3, 1, 366)]],
  ["U", [number(2, 0, 53)]],
  ["W", [number(2, 0, 53)]],
  ["c", [initials(DAYS), SPACE, initials(MONTHS), SPACE, UNPADDED_DAY, SPACE, ...CLOCK, SPACE, YEAR]],
  ["x", [MONTH, literal("/"), DAY, literal("/"), SHORT_YEAR]],
  ["X", CLOCK],
  ["%", [literal("%")]],
]);

/** The tokens of a strftime format's base name: what follows the last slash, wherever that comes from (`%x` has two). */
export function baseNameTokens(format: string): readonly NameToken[] {
  const tokens: NameToken[] = [];
  let copied = 0;
  for (const match of format.matchAll(/%(.?)/gsu)) {
    tokens.push(literal(format.slice(copied, match.index)), ...(VERBS.get(match[1] ?? "") ?? []));
    copied = match.index + match[0].length;
  }
  tokens.push(literal(format.slice(copied)));

  const last = tokens.findLastIndex((token) => token.kind === "literal" && token.text.includes("/"));
  const slash = tokens[last];
  if (slash?.kind !== "literal") return tokens;
  return [literal(slash.text.slice(slash.text.lastIndexOf("/") + 1)), ...tokens.slice(last + 1)];
}

/** Whether the tokens can give exactly this text. Linear: all ways of reading are followed at once, position by position. */
export function tokensMatch(tokens: readonly NameToken[], text: string): boolean {
  let positions = new Set([0]);
  for (const token of tokens) {
    const next = new Set<number>();
    for (const at of positions) {
      for (const end of endsOf(token, text, at)) next.add(end);
    }
    if (next.size === 0) return false;
    positions = next;
  }
  return positions.has(text.length);
}

function endsOf(token: NameToken, text: string, at: number): readonly number[] {
  switch (token.kind) {
    case "literal":
      return text.startsWith(token.text, at) ? [at + token.text.length] : [];
    case "words":
      return token.words.filter((word) => text.startsWith(word, at)).map((word) => at + word.length);
    case "number": {
      const digits = text.slice(at, at + token.digits);
      const isInRange = digits.length === token.digits && /^\d+$/.test(digits);
      return isInRange && Number(digits) >= token.min && Number(digits) <= token.max ? [at + token.digits] : [];
    }
    case "zone": {
      // As in the zone database: letters (`CET`, `AEDT`) or a bare offset (`-03`, `+0530`).
      const name = /^(?:[A-Za-z]{1,6}|[+-]\d{2}(?:\d{2}){0,2})/.exec(text.slice(at, at + 7))?.[0] ?? "";
      return Array.from({ length: name.length }, (_, index) => at + index + 1);
    }
  }
}
