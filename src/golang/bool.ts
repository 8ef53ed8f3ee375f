/** The spellings that Go's `strconv.ParseBool` takes; nothing else is a boolean. */
const SPELLINGS: ReadonlyMap<string, boolean> = new Map([
  ...["1", "t", "T", "TRUE", "true", "True"].map((word) => [word, true] as const),
  ...["0", "f", "F", "FALSE", "false", "False"].map((word) => [word, false] as const),
]);

/** Go's `strconv.ParseBool`; undefined for anything that it refuses. */
export function parseBool(text: string): boolean | undefined {
  return SPELLINGS.get(text);
}
