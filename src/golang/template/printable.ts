import type { GoValue, Value } from "./types.ts";

/** What Go hands to `fmt`: pointers are followed, unless it is the pointer that knows how to print itself. */
export function printable(value: GoValue): Value {
  let at = value;
  while (at.kind === "pointer" && at.v !== undefined) {
    const { methods } = at.type;
    if (at.v.kind !== "pointer" && (methods?.["String"] !== undefined || methods?.["Error"] !== undefined)) return at;
    at = at.v;
  }
  return at;
}
