import type { GoValue } from "./types.ts";
import { bytes, integer } from "./values.ts";
import { STRING, INT } from "./types.ts";

/** A map's entries in the order in which Go prints and ranges over them: keys ascending, strings by their bytes. */
export function sortedEntries(map: GoValue & { kind: "map" }): (readonly [GoValue, GoValue])[] {
  const keyType = map.type.key ?? STRING;
  return [...(map.v ?? [])]
    .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([key, value]) => [
      typeof key === "string" ? bytes(key, keyType) : integer(key, keyType.kind === "string" ? INT : keyType),
      value,
    ]);
}
