import { DestinationError } from "../../lib/errors.ts";

/** `backups//site/` -> `/backups/site`; the root is the empty text, as Dropbox wants it. @throws what `checkFolder` finds */
export function folderPath(remotePath: string): string {
  const problem = checkFolder(remotePath);
  if (problem !== undefined)
    throw new DestinationError("invalid", `the folder in Dropbox ${problem}`, { hint: "correct DROPBOX_REMOTE_PATH" });
  return components(remotePath)
    .map((component) => `/${component}`)
    .join("");
}

/** Why Dropbox takes no such folder, if so. */
export function checkFolder(remotePath: string): string | undefined {
  for (const component of components(remotePath)) {
    if (component === "..") return "must not contain `..`";
    const why = refusedBecause(component);
    if (why !== undefined) return `must have no part that ${why}: ${component}`;
  }
  return undefined;
}

/** Names that Dropbox answers with `malformed_path`, known before a long upload rather than after it. */
export function refusedBecause(component: string): string | undefined {
  if (component.includes("\\")) return "contains a backslash";
  if (component.includes("\u007f")) return "contains the control character DEL";
  if (component.endsWith(" ")) return "ends with a blank";
  return undefined;
}

function components(path: string): string[] {
  return path.split("/").filter((component) => component !== "" && component !== ".");
}
