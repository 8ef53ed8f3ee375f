import { DestinationError } from "../../lib/errors.ts";
import { LONGEST_NAME_BYTES, PARTIAL_SUFFIX } from "../names.ts";
import { isMissing, SFTP_STATUS, statusOf } from "./errors.ts";
import { lookAt, statOf } from "./folders.ts";
import { below } from "./paths.ts";
import type { Session } from "./session.ts";

const ASIDE = /^\.(.+)\.previous\.partial$/s;

export interface Published {
  readonly sizeBytes: number;
  readonly storedAt: number;
}

/** Gives an unfinished file its final name, replacing what is there. May be called again when its answer got lost. */
export async function publish(
  session: Session,
  place: { readonly folder: string; readonly base: string; readonly partial: string },
  expectedBytes: number,
): Promise<Published> {
  const target = below(place.folder, place.base);
  // Done already: the session ended between the rename and its answer.
  if ((await lookAt(session, place.partial)) !== undefined)
    await moveOver(session, place.partial, place.folder, place.base);
  const { size, mtime } = await statOf(session, target);
  if (size !== expectedBytes) {
    throw new DestinationError(
      "unavailable",
      `${target} on the server has ${size} bytes instead of ${expectedBytes}: did somebody else write to it?`,
    );
  }
  return { sizeBytes: size, storedAt: mtime * 1000 };
}

async function moveOver(session: Session, partial: string, folder: string, base: string): Promise<void> {
  const target = below(folder, base);
  if (session.has("posix-rename@openssh.com")) {
    try {
      await session.request<unknown>((done) =>
        session.sftp.ext_openssh_rename(partial, target, (error) => done(error, undefined)),
      );
      return;
    } catch (error) {
      if (statusOf(error) !== SFTP_STATUS.unsupported) throw error;
    }
  }
  try {
    await rename(session, partial, target);
    return;
  } catch (error) {
    if (session.death !== undefined || (await lookAt(session, target)) === undefined) throw error;
  }
  await swap(session, partial, folder, base);
}

/**
 * Plain SFTP renames over nothing. The earlier archive steps aside under a hidden name and goes last, so a kill in the
 * gap, where no file has the final name, loses neither; `restoreAside` closes the gap in the next run.
 */
async function swap(session: Session, partial: string, folder: string, base: string): Promise<void> {
  const target = below(folder, base);
  const aside = asideName(base);
  // No room for a longer name: then the earlier archive goes first.
  if (aside === undefined) {
    await removeFile(session, target);
    await rename(session, partial, target);
    return;
  }
  const asidePath = below(folder, aside);
  await removeFile(session, asidePath);
  await rename(session, target, asidePath);
  try {
    await rename(session, partial, target);
  } catch (error) {
    await rename(session, asidePath, target).catch(() => undefined);
    throw error;
  }
  await removeFile(session, asidePath);
}

function asideName(base: string): string | undefined {
  const name = `.${base}.previous${PARTIAL_SUFFIX}`;
  return Buffer.byteLength(name) <= LONGEST_NAME_BYTES ? name : undefined;
}

/** For a file that stepped aside: puts it back where its successor never came, else removes it. */
export async function restoreAside(
  session: Session,
  folder: string,
  name: string,
): Promise<"none" | "restored" | "removed"> {
  const base = ASIDE.exec(name)?.[1];
  if (base === undefined) return "none";
  if ((await lookAt(session, below(folder, base))) !== undefined) {
    await removeFile(session, below(folder, name));
    return "removed";
  }
  await rename(session, below(folder, name), below(folder, base));
  return "restored";
}

/** A missing one is success. */
export async function removeFile(session: Session, path: string): Promise<void> {
  try {
    await session.request<unknown>((done) => session.sftp.unlink(path, (error) => done(error, undefined)));
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

function rename(session: Session, from: string, to: string): Promise<unknown> {
  return session.request<unknown>((done) => session.sftp.rename(from, to, (error) => done(error, undefined)));
}
