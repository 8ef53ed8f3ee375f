const TYPES: readonly (readonly [RegExp, string])[] = [
  [/\.tar$/, "application/x-tar"],
  [/\.gz$/, "application/gzip"],
  [/\.zst$/, "application/zstd"],
  [/\.json$/, "application/json"],
];

/** The media type that a store is told for an object of this name. */
export function contentTypeOf(name: string): string {
  return TYPES.find(([ending]) => ending.test(name))?.[1] ?? "application/octet-stream";
}
