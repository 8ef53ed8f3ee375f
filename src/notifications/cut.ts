/** How a service counts the length of a text. */
export type Measure = (character: string) => number;

/** Unicode characters (code points). */
export const inCharacters: Measure = () => 1;
/** UTF-16 code units, as Telegram counts. */
export const inCodeUnits: Measure = (character) => character.length;
/** Bytes of UTF-8. */
export const inBytes: Measure = (character) => Buffer.byteLength(character);
/** Bytes of a JSON string's inside. */
export const inJsonBytes: Measure = (character) => Buffer.byteLength(JSON.stringify(character)) - 2;

const MARK = " [...]";

/** The text, or as much of its beginning as fits into the limit together with ` [...]`. */
export function cutText(text: string, limit: number, measure: Measure = inCharacters): string {
  const wellFormed = text.toWellFormed();
  // No character counts more than six times its code units (a control character in JSON).
  if (wellFormed.length * 6 <= limit) return wellFormed;
  const room = limit - MARK.length;
  let used = 0;
  let fitting = 0;
  let at = 0;
  for (const character of wellFormed) {
    used += measure(character);
    at += character.length;
    if (used <= room) fitting = at;
    if (used > limit)
      return limit <= MARK.length ? MARK.slice(0, Math.max(0, limit)) : wellFormed.slice(0, fitting) + MARK;
  }
  return wellFormed;
}

/** The Unicode characters (code points) of a text, which is what most services count. */
export function charactersOf(text: string): readonly string[] {
  return Array.from(text);
}

/** A title above a text, where a service has no field for it. */
export function titled(title: string, body: string, between = "\n"): string {
  if (title === "") return body;
  return body === "" ? title : `${title}${between}${body}`;
}
