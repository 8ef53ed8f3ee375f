import { UserError } from "../../lib/errors.ts";

/** How the reader names an archive's faults; every message begins with the archive. */
export interface ArchiveFaults {
  /** It ends too early. */
  truncated(where: string): Error;
  /** What is there is wrong. */
  damaged(what: string, cause?: unknown): Error;
  /** Something that is none of it follows; `nearByte` as in `SurplusInArchive`. */
  surplus(what: string, nearByte: number): Error;
  /** The same behind the end mark. */
  surplusBehindEnd(what: string): Error;
  /** It is something else. */
  notAnArchive(what: string, hint: string): Error;
}

/** It ends too early. */
export class TruncatedArchive extends UserError {}

/** It is damaged somewhere, which says nothing of what comes later. */
export class DamagedArchive extends UserError {}

/** Where more data should begin, or nothing should be, is something else; what came before was whole. */
export class SurplusInArchive extends DamagedArchive {
  /** It begins behind this byte of the archive, in the piece that was then given to the decoder. What that gave is lost. */
  readonly nearByte: number;
  readonly what: string;

  constructor(archiveName: string, what: string, nearByte: number) {
    super(`${archiveName} is damaged: ${what}`, { hint: DAMAGED_HINT });
    this.what = what;
    this.nearByte = nearByte;
  }
}

/** All entries were read, and something follows the end mark. */
export class SurplusBehindEnd extends DamagedArchive {}

const TRUNCATED_HINT =
  "the entries before this point are good; restore the rest from another archive, or deliver this one again";
/** Of the block in which the damage lies, nothing is sure. */
const DAMAGED_HINT =
  "lifeboat restore takes what lies outside of the damage; get the rest from another archive, or deliver this one again";

const SURPLUS_HINT = "all of the archive was read; what follows it is not";

export function faultsOf(archiveName: string): ArchiveFaults {
  return {
    truncated: (where) =>
      new TruncatedArchive(`${archiveName} is truncated: it ends ${where}`, { hint: TRUNCATED_HINT }),
    damaged: (what, cause) => new DamagedArchive(`${archiveName} is damaged: ${what}`, { hint: DAMAGED_HINT, cause }),
    surplus: (what, nearByte) => new SurplusInArchive(archiveName, what, nearByte),
    surplusBehindEnd: (what) => new SurplusBehindEnd(`${archiveName} is damaged: ${what}`, { hint: SURPLUS_HINT }),
    notAnArchive: (what, hint) => new UserError(`${archiveName} ${what}`, { hint }),
  };
}

/** An entry's content can't be had, though that of others can. The message completes "<path>: …". */
export class MissingContent extends Error {}
