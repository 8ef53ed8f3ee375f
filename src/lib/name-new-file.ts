import { link, open, rename, rm } from "node:fs/promises";
import { systemCode } from "./errors.ts";

/** What `link` says where a file system has no hard links: FAT, some network and FUSE folders. */
const NO_LINKS: ReadonlySet<string | undefined> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/**
 * Gives a finished file its name, in the same folder. Nothing that came to be there in the meantime is replaced: that is
 * `EEXIST`. The old name may stay; the caller removes it.
 * @param makeLink for tests
 */
export async function nameNewFile(from: string, to: string, makeLink = link): Promise<void> {
  try {
    await makeLink(from, to);
    return;
  } catch (thrown) {
    if (!NO_LINKS.has(systemCode(thrown))) throw thrown;
  }
  // The name is ours before the file takes it.
  await (await open(to, "wx", 0o600)).close();
  try {
    await rename(from, to);
  } catch (thrown) {
    await rm(to, { force: true });
    throw thrown;
  }
}
