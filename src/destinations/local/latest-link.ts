import { rename, symlink, unlink } from "node:fs/promises";
import type { JobTag } from "../../contracts/destination.ts";
import { messageOf } from "../../lib/errors.ts";
import { printablePath } from "../../lib/printable.ts";
import { openFolder } from "./folder.ts";
import { componentsOf } from "../names.ts";
import { kindAt } from "./partial.ts";
import { partialName } from "../partial-name.ts";

/**
 * Points the link at `archive` (relative, in the same folder), in one step: there is always a link, the old or the new
 * one. Only ever replaces a symbolic link. Returns what went wrong, for a warning: the archive itself is stored.
 */
export async function pointLatestAt(
  folder: string,
  link: string,
  archive: string,
  owner: JobTag,
): Promise<string | undefined> {
  const shown = printablePath(link);
  if (link === archive) return `BACKUP_LATEST_SYMLINK is not updated: "${shown}" is the archive's own name`;
  try {
    componentsOf("archive", link);
    const open = await openFolder(folder);
    try {
      const kind = await kindAt(open.at(link));
      if (kind !== undefined && kind !== "symbolic link") {
        return `BACKUP_LATEST_SYMLINK is not updated: "${shown}" in ${folder} is a ${kind}; only a symbolic link is ever replaced`;
      }
      const hidden = partialName(link, owner);
      await symlink(archive, open.at(hidden));
      try {
        await rename(open.at(hidden), open.at(link));
      } catch (error) {
        // The failed rename is what matters; a link that stays behind is a leftover for the next run.
        await unlink(open.at(hidden)).catch(() => undefined);
        throw error;
      }
      await open.sync();
      return undefined;
    } finally {
      await open.close();
    }
  } catch (error) {
    return `BACKUP_LATEST_SYMLINK is not updated: ${messageOf(error)}`;
  }
}
