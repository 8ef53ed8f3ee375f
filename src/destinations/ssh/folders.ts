import type { Stats } from "ssh2";
import { DestinationError } from "../../lib/errors.ts";
import { isMissing } from "./errors.ts";
import { below } from "./paths.ts";
import type { Session } from "./session.ts";

export function statOf(session: Session, path: string): Promise<Stats> {
  return session.request<Stats>((done) => session.sftp.stat(path, done));
}

/** Not following links; undefined for what is missing. */
export async function lookAt(session: Session, path: string): Promise<Stats | undefined> {
  try {
    return await session.request<Stats>((done) => session.sftp.lstat(path, done));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Makes a folder and the ones above it that are missing, level by level, private. What is there already stays as it is. */
export async function makeFolders(session: Session, folder: string): Promise<void> {
  if (await isFolder(session, folder)) return;
  let path = folder.startsWith("/") ? "/" : ".";
  let refusal: unknown;
  for (const component of folder.split("/")) {
    if (component === "" || component === ".") continue;
    path = below(path, component);
    // An existing folder is refused with a plain "failure", and one above the login's root with "denied": look at the end.
    try {
      await session.request<unknown>((done) =>
        session.sftp.mkdir(path, { mode: 0o700 }, (error) => done(error, undefined)),
      );
      refusal = undefined;
    } catch (error) {
      if (session.death !== undefined) throw error;
      // Below one that could not be made, all are "missing": its own refusal says why.
      if (refusal === undefined || !isMissing(error)) refusal = error;
    }
  }
  if (!(await isFolder(session, folder)))
    throw refusal ?? new DestinationError("unavailable", `${folder} was made on the server, but is not there`);
}

async function isFolder(session: Session, folder: string): Promise<boolean> {
  try {
    const stat = await statOf(session, folder);
    if (stat.isDirectory()) return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
  throw new DestinationError("invalid", `${folder} on the server is not a folder`, { hint: "correct SSH_REMOTE_PATH" });
}
