import type { Stats } from "ssh2";
import { DestinationError } from "../../lib/errors.ts";
import { isMissing, SFTP_STATUS, statusOf } from "./errors.ts";
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
  if (await isFolder(session, folder)) return;
  throw (
    (await obstacleTo(session, folder)) ??
    refusal ??
    new DestinationError("unavailable", `${folder} was made on the server, but is not there`)
  );
}

/** What stands where a folder should be, on the way to this one: servers call it no more than a "failure". */
export async function obstacleTo(session: Session, folder: string): Promise<DestinationError | undefined> {
  let path = folder.startsWith("/") ? "/" : ".";
  for (const component of folder.split("/")) {
    if (component === "" || component === ".") continue;
    path = below(path, component);
    try {
      if (!(await statOf(session, path)).isDirectory()) return notAFolder(path);
    } catch (error) {
      if (!isMissing(error)) return undefined;
      const isLink = (await lookAt(session, path).catch(() => undefined))?.isSymbolicLink() === true;
      return isLink ? notAFolder(path, "a link that leads nowhere, and") : undefined;
    }
  }
  return undefined;
}

export function notAFolder(path: string, what = ""): DestinationError {
  return new DestinationError("invalid", `${path} on the server is ${what === "" ? "" : `${what} `}not a folder`, {
    hint: "correct SSH_REMOTE_PATH",
  });
}

async function isFolder(session: Session, folder: string): Promise<boolean> {
  try {
    const stat = await statOf(session, folder);
    if (stat.isDirectory()) return true;
  } catch (error) {
    // What most servers say of a path that leads through a file.
    if (isMissing(error) || statusOf(error) === SFTP_STATUS.failure) return false;
    throw error;
  }
  throw notAFolder(folder);
}
