import { charactersOf, cutText } from "../cut.ts";

/** What Discord takes, in characters (code points). */
const EMBED_CHARACTERS = 2000;
const REQUEST_CHARACTERS = 6000;
const EMBEDS = 10;
/** By length one embed less, as the senders that users come from had it. */
const CHUNKS = 9;
/** Longer messages end with ` [...]`. */
const REQUESTS = 20;
/** How far back a place to break is looked for. */
const LOOK_BACK = 100;

/** One embed for each line that is not empty; the title counts in every request. */
export function byLines(body: string, titleLength: number): readonly (readonly string[])[] {
  const groups: string[][] = [];
  let used = Number.POSITIVE_INFINITY;
  for (const line of body.split("\n")) {
    const embed = cutText(line.replace(/\r$/, ""), EMBED_CHARACTERS);
    if (embed === "") continue;
    const length = charactersOf(embed).length;
    const group = groups.at(-1);
    if (group !== undefined && group.length < EMBEDS && used + length <= REQUEST_CHARACTERS) {
      group.push(embed);
      used += length;
    } else {
      if (groups.length === REQUESTS) return endedEarly(groups);
      groups.push([embed]);
      used = titleLength + length;
    }
  }
  return groups;
}

/** Pieces of up to 2000 characters, broken at a line break or blank where there is one near. */
export function byLength(body: string, titleLength: number): readonly (readonly string[])[] {
  const groups: string[][] = [];
  const characters = charactersOf(body);
  let at = 0;
  let used = Number.POSITIVE_INFINITY;
  while (at < characters.length) {
    let group = groups.at(-1);
    // A piece of less than a hundred characters at the end of a request would only be a splinter.
    if (group === undefined || group.length === CHUNKS || used + LOOK_BACK > REQUEST_CHARACTERS) {
      if (groups.length === REQUESTS) return endedEarly(groups);
      group = [];
      groups.push(group);
      used = titleLength;
    }
    const room = Math.min(EMBED_CHARACTERS, REQUEST_CHARACTERS - used);
    const end = breakAt(characters, at, room);
    const text = characters.slice(at, end).join("");
    if (text.trim() !== "") {
      group.push(text);
      used += end - at;
    }
    const isBreak = end < characters.length && /[\n ]/.test(characters[end] ?? "");
    at = isBreak ? end + 1 : end;
  }
  return groups.filter((group) => group.length > 0);
}

function breakAt(characters: readonly string[], from: number, room: number): number {
  const limit = from + room;
  if (limit >= characters.length) return characters.length;
  for (let at = limit; at > Math.max(from, limit - LOOK_BACK); at -= 1) {
    if (/[\n ]/.test(characters[at] ?? "")) return at;
  }
  return limit;
}

/** The last piece says that something is missing. */
function endedEarly(groups: string[][]): readonly (readonly string[])[] {
  const last = groups.at(-1) ?? [];
  const text = charactersOf(last.pop() ?? "")
    .slice(0, EMBED_CHARACTERS - 6)
    .join("");
  last.push(`${text} [...]`);
  return groups;
}
