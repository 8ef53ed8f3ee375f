import { type Owner } from "../partial-name.ts";
import { PARTIAL_SUFFIX } from "../names.ts";
import { type RemotePartial, removeRemoteLeftovers } from "../remote-leftovers.ts";
import { ownFolders, readFolder } from "./listing.ts";
import { removeFile, restoreAside } from "./publish.ts";
import type { Session } from "./session.ts";

/** Removes what dead runs left in the folder and below `.lifeboat/`; returns how many files went. */
export async function removeLeftoversIn(
  session: Session,
  root: string,
  owner: Owner,
  signal: AbortSignal,
): Promise<number> {
  let aside = 0;
  const find = async (): Promise<RemotePartial[]> => {
    const found: RemotePartial[] = [];
    for await (const folder of ownFolders(session, root, signal)) {
      for await (const { name, path, stat } of readFolder(session, folder, signal)) {
        if (!name.endsWith(PARTIAL_SUFFIX) || !stat.isFile()) continue;
        if ((await restoreAside(session, folder, name)) === "removed") aside += 1;
        else found.push({ name, path, sizeBytes: stat.size, modifiedAt: stat.mtime * 1000 });
      }
    }
    return found;
  };
  const removed = await removeRemoteLeftovers({ find, remove: ({ path }) => removeFile(session, path) }, owner, signal);
  return removed + aside;
}
