import { isUtf8 } from "node:buffer";
import { RE2JS } from "re2js";
import { translatePattern } from "./re2-translate.ts";
import { clipped } from "./text.ts";
import { goText, goTextWithOffsets } from "./utf8.ts";

/** The engine can take long to refuse a longer one a second time. */
const LONGEST_EXPLAINED = 4096;

/** A compiled expression. Any input takes time in proportion to its length, whatever the expression. */
export interface Re2 {
  /** Whether it matches anywhere in the text. Bytes that are not UTF-8 count as one U+FFFD each, as in Go. */
  test(text: string | Uint8Array): boolean;
  /** The first match, in bytes of the text as UTF-8; several times slower than `test`. */
  find(text: string | Uint8Array): readonly [start: number, end: number] | undefined;
}

/**
 * Compiles an expression of Go's package regexp.
 * @param pattern text, or bytes, which must be UTF-8
 * @throws Error that says what is wrong, worded as Go words it
 */
export function compileRe2(pattern: string | Uint8Array): Re2 {
  const isValid = typeof pattern === "string" ? pattern.isWellFormed() : isUtf8(pattern);
  if (!isValid) throw new Error("error parsing regexp: invalid UTF-8");
  const compiled = compile(goText(pattern));
  return {
    test: (text) => compiled.test(goText(text)),
    find: (text) => {
      const input = goTextWithOffsets(text);
      const matcher = compiled.matcher(input.text);
      return matcher.find() ? [input.byteOffsetAt(matcher.start(0)), input.byteOffsetAt(matcher.end(0))] : undefined;
    },
  };
}

/** The engine's own kinds of error are no concern of anyone else, and it quotes the whole expression. */
function compile(pattern: string): RE2JS {
  const translated = translatePattern(pattern);
  try {
    return RE2JS.compile(translated);
  } catch (thrown) {
    throw new Error(clipped(engineMessage(pattern) ?? engineMessage(translated) ?? "the expression cannot be read"), {
      cause: thrown,
    });
  }
}

/** What the engine says about an expression; preferably about what the user wrote, not about its translation. */
function engineMessage(pattern: string): string | undefined {
  if (pattern.length > LONGEST_EXPLAINED) return "error parsing regexp: the expression cannot be read";
  try {
    RE2JS.compile(pattern);
    return undefined;
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : undefined;
  }
}
