import { UserError } from "../../lib/errors.ts";

/** How the reader names an archive's faults; every message begins with the archive. */
export interface ArchiveFaults {
  /** It ends too early. */
  truncated(where: string): Error;
  /** What is there is wrong. */
  damaged(what: string, cause?: unknown): Error;
  /** It is something else. */
  notAnArchive(what: string, hint: string): Error;
}

/** It is damaged somewhere, which says nothing of what comes later. */
export class DamagedArchive extends UserError {}

const TRUNCATED_HINT =
  "the entries before this point are good; restore the rest from another archive, or deliver this one again";
/** Of the block in which the damage lies, nothing is sure. */
const DAMAGED_HINT =
  "lifeboat restore takes what lies outside of the damage; get the rest from another archive, or deliver this one again";

export function faultsOf(archiveName: string): ArchiveFaults {
  return {
    truncated: (where) => new UserError(`${archiveName} is truncated: it ends ${where}`, { hint: TRUNCATED_HINT }),
    damaged: (what, cause) => new DamagedArchive(`${archiveName} is damaged: ${what}`, { hint: DAMAGED_HINT, cause }),
    notAnArchive: (what, hint) => new UserError(`${archiveName} ${what}`, { hint }),
  };
}

/** An entry's content can't be had, though that of others can. The message completes "<path>: …". */
export class MissingContent extends Error {}
