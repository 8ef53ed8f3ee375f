import { readFileSync } from "node:fs";
import path from "node:path";

/** The recorded cases: the folder that `GO_GOLDEN_DIR` names, else the project's own copy. */
export const isOwnCopy = (process.env["GO_GOLDEN_DIR"] ?? "") === "";
const folder = isOwnCopy ? path.join(import.meta.dirname, "go") : path.resolve(process.env["GO_GOLDEN_DIR"] ?? "");

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** The content of one recorded file, as the shape that its reader knows it to have. */
export function readRecorded<Shape>(name: string, check: (content: Json) => content is Json & Shape): Shape {
  return readFrom(folder, name, check);
}

/** The same for what the project recorded itself, whatever `GO_GOLDEN_DIR` says. */
export function readOwn<Shape>(name: string, check: (content: Json) => content is Json & Shape): Shape {
  return readFrom(import.meta.dirname, name, check);
}

function readFrom<Shape>(from: string, name: string, check: (content: Json) => content is Json & Shape): Shape {
  const content = JSON.parse(readFileSync(path.resolve(from, name), "utf8")) as Json;
  if (!check(content)) throw new Error(`${name} in ${from} has another shape than expected`);
  return content;
}

/** A check that these members are lists. */
export function hasLists<Shape>(...members: string[]): (content: Json) => content is Json & Shape {
  return (content): content is Json & Shape =>
    typeof content === "object" &&
    content !== null &&
    members.every((member) => Array.isArray((content as Readonly<Record<string, Json>>)[member]));
}

/** A case as the title of a test: one line, of bearable length. */
export function title(text: string): string {
  const line = JSON.stringify(text).slice(1, -1);
  return line.length > 90 ? `${line.slice(0, 90)}…` : line;
}

/** What came of it: the value, or that it was refused. */
export function outcome<T>(attempt: () => T): { value: T } | { refused: true } {
  try {
    return { value: attempt() };
  } catch (thrown) {
    if (thrown instanceof Error && thrown.constructor === Error) return { refused: true };
    // A RangeError, TypeError and the like is a fault, not a refusal.
    throw thrown;
  }
}

export const REFUSED = { refused: true } as const;
