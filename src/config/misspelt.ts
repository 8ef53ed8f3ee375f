import type { Pairs } from "./layer.ts";
import type { Catalogue } from "./parts.ts";
import type { Problem } from "./problem.ts";
import { secretsIn } from "./secrets.ts";
import { nearestKey } from "./unknown.ts";

/** Looking for what was meant takes a while per key; a file with more unknown keys than this has other troubles. */
const MOST_LOOKED_AT = 300;

/** Unknown keys that look like misspelt settings, each with the key that was probably meant. */
export function misspeltKeys(pairs: Pairs, catalogue: Catalogue, file?: string): Problem[] {
  return misspellings(pairs, catalogue, file === undefined ? "environment" : "file").map(
    ({ key, meant, line }): Problem => ({
      severity: "warning",
      key,
      message: `is not a setting and is ignored; did you mean ${meant}?`,
      ...(file === undefined ? {} : { file }),
      ...(line === undefined ? {} : { line }),
    }),
  );
}

/** A secret under a misspelt key is a secret all the same. */
export function secretsUnderMisspeltKeys(pairs: Pairs, catalogue: Catalogue): string[] {
  return misspellings(pairs, catalogue, "file").flatMap(({ key, meant }) => {
    const setting = catalogue.find(meant);
    const value = pairs.get(key)?.value ?? "";
    return setting === undefined ? [] : secretsIn(setting, value);
  });
}

function misspellings(
  pairs: Pairs,
  catalogue: Catalogue,
  where: "file" | "environment",
): { key: string; meant: string; line: number | undefined }[] {
  const found: { key: string; meant: string; line: number | undefined }[] = [];
  let lookedAt = 0;
  for (const [key, { line }] of pairs) {
    if (catalogue.find(key) !== undefined) continue;
    lookedAt += 1;
    if (lookedAt > MOST_LOOKED_AT) break;
    const meant = nearestKey(key, catalogue, where);
    if (meant !== undefined) found.push({ key, meant, line });
  }
  return found;
}
