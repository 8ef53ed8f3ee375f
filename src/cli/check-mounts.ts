import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Config files that are mount points of their own: the container keeps the old file when the host's is replaced, so a
 * change is never seen. Reads `/proc/self/mountinfo` (fifth field, octal escapes); without it nothing is said.
 */
export function mountWarnings(folder: string, mountinfo = readMountinfo()): string[] {
  const mounts = new Set(
    mountinfo
      .split("\n")
      .map((line) =>
        (line.split(" ")[4] ?? "").replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
          String.fromCharCode(Number.parseInt(octal, 8)),
        ),
      ),
  );
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    // The configuration's own problems say so.
    return [];
  }
  return names
    .filter((name) => mounts.has(join(folder, name)))
    .map(
      (name) =>
        `${join(folder, name)} is mounted as a single file: when it is replaced on the host, the change is never seen here; mount its folder instead`,
    );
}

function readMountinfo(): string {
  try {
    return readFileSync("/proc/self/mountinfo", "utf8");
  } catch {
    return "";
  }
}
