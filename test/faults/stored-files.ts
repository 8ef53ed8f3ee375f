import { createHash } from "node:crypto";
import { createReadStream, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** The plain files of a folder, hidden ones too; none where it is missing. */
export function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

/** SHA-256 by name, of those that are not hidden. */
export async function hashesOf(folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const name of filesBelow(folder)) {
    if (!name.startsWith(".")) found.set(name, await sha256OfFile(join(folder, name)));
  }
  return found;
}

export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
