import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import type { ArchiveSource } from "../contracts/archive.ts";
import type { Destination, JobTag, Stage, StoredObject } from "../contracts/destination.ts";
import { toLocalError } from "../destinations/local/errors.ts";
import { openFolder } from "../destinations/local/folder.ts";
import { checkSpace } from "../destinations/local/free-space.ts";
import { removeLeftoversIn } from "../destinations/local/leftovers.ts";
import { createPartial } from "../destinations/local/partial.ts";
import { syncWritten, writeAll } from "../destinations/local/writing.ts";
import { orAborted } from "../lib/abortable.ts";
import { DestinationError, messageOf } from "../lib/errors.ts";
import { printablePath } from "../lib/printable.ts";
import { makeFolders } from "../lib/make-folders.ts";
import { type ArchiveFacts, openGrowingFile } from "./growing-file.ts";

/** A local destination whose folder could not take the archive, and why: its delivery has failed, the others go on. */
export interface LocalFailure {
  readonly destination: Destination;
  readonly error: unknown;
}

export interface StageOptions {
  /** The archive's final name. */
  readonly name: string;
  readonly owner: JobTag;
  /** Written to directly, where it can stage. */
  readonly local: Destination | undefined;
  /** Used without a local destination, or where that fails at once. Undefined: nothing else would read the archive. Made where missing. */
  readonly spoolFolder: string | undefined;
  /** What the archive will probably need, bytes; 0: unknown. */
  readonly neededBytes: number;
  /** When the archive phase is repeated without the local folder: what happened the first time. */
  readonly localFailure?: LocalFailure;
  readonly signal: AbortSignal;
  onNote?(text: string): void;
}

export interface WriteChecks {
  /** What the engine says of the archive; saves computing the checksum a second time. */
  readonly result?: Promise<ArchiveFacts>;
  /** Called with all bytes on disk, before any reader hears that the archive is complete. A rejection fails it everywhere. */
  confirm?(): Promise<void> | void;
}

/** One archive on disk under a hidden name, readable while it grows. `discard` is always the last call, also after success. */
export interface StagedArchive {
  /** Of the hidden file, for `process` and `copy` commands. */
  readonly path: string;
  readonly place: "local" | "spool";
  /** The destination in whose folder it lies; `publishLocal` is its delivery. */
  readonly local: Destination | undefined;
  readonly localFailure: LocalFailure | undefined;
  /** A growing file: uploads may begin with the first byte. */
  readonly source: ArchiveSource;
  /**
   * Writes and syncs everything. Rejects with a `DestinationError` where the folder can't take the bytes (`full` with
   * sizes, `denied`, …), else with the failure of `bytes` itself.
   */
  write(bytes: AsyncIterable<Uint8Array>, signal: AbortSignal, checks?: WriteChecks): Promise<ArchiveFacts>;
  publishLocal(): Promise<StoredObject>;
  /** Removes what was not published and ends all reading. May be repeated. */
  discard(): Promise<void>;
}

/** Rejects with a `DestinationError` where no folder can take the archive. */
export async function openStage(options: StageOptions): Promise<StagedArchive> {
  const { local, spoolFolder, signal, neededBytes } = options;
  signal.throwIfAborted();
  let { localFailure } = options;
  if (local?.stage !== undefined) {
    try {
      return await openStaged(
        await stageChecked(() => stageIn(local, options), neededBytes),
        options,
        local,
        localFailure,
      );
    } catch (error) {
      if (spoolFolder === undefined || signal.aborted) throw error;
      localFailure = { destination: local, error };
      options.onNote?.(
        `${local.label} can't take the archive, it is kept in ${spoolFolder} for the other destinations: ${messageOf(error)}`,
      );
    }
  }
  if (spoolFolder === undefined) throw new DestinationError("invalid", "there is no folder to stage the archive in");
  const stage = await stageChecked(() => stageInSpool(spoolFolder, options), neededBytes).catch((error: unknown) => {
    throw withSpoolHint(error);
  });
  return await openStaged(stage, options, undefined, localFailure);
}

/** What helps with the archive folder does not help with the spool. */
function withSpoolHint(error: unknown): unknown {
  if (!(error instanceof DestinationError)) return error;
  const hint = "set SPOOL_DIR to a folder that is writable and large enough for one archive";
  return new DestinationError(error.code, error.message, { hint, cause: error });
}

async function stageIn(local: Destination, { name, owner }: StageOptions): Promise<Stage> {
  if (local.stage === undefined) throw new Error(`${local.label} cannot stage`);
  return await local.stage(name, owner);
}

async function stageInSpool(folder: string, { name, owner }: StageOptions): Promise<Stage> {
  try {
    makeFolders(folder, 0o700);
    const partial = await createPartial(await openFolder(folder), name, owner);
    return {
      path: partial.path,
      publish: () => Promise.reject(new Error("an archive in the spool folder is never published there")),
      discard: () => partial.discard(),
    };
  } catch (error) {
    throw toLocalError(error, `cannot stage ${printablePath(name)} in ${folder}`);
  }
}

/** The space is looked at with the file already there: an unusable folder says so first. */
async function stageChecked(begin: () => Promise<Stage>, neededBytes: number): Promise<Stage> {
  const stage = await begin();
  try {
    await checkSpace(dirname(stage.path), neededBytes, 0);
    return stage;
  } catch (error) {
    await stage.discard();
    throw error;
  }
}

async function openStaged(
  stage: Stage,
  options: StageOptions,
  local: Destination | undefined,
  localFailure: LocalFailure | undefined,
): Promise<StagedArchive> {
  const folder = dirname(stage.path);
  try {
    const growing = await openGrowingFile(stage.path, options.neededBytes);
    let discarded: Promise<void> | undefined;
    return {
      path: stage.path,
      place: local === undefined ? "spool" : "local",
      local,
      localFailure,
      source: growing.source,
      async write(bytes, signal, checks = {}) {
        try {
          const facts = await writeStage(stage.path, folder, bytes, signal, checks, (total) => growing.grew(total));
          growing.complete(facts);
          return facts;
        } catch (error) {
          const shown = local === undefined ? withSpoolHint(error) : error;
          growing.fail(shown);
          throw shown;
        }
      },
      publishLocal: () => stage.publish(),
      discard() {
        discarded ??= (async () => {
          try {
            await growing.close();
          } finally {
            await stage.discard();
          }
        })();
        return discarded;
      },
    };
  } catch (error) {
    await stage.discard();
    throw toLocalError(error, `cannot stage ${printablePath(options.name)} in ${folder}`);
  }
}

async function writeStage(
  path: string,
  folder: string,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  checks: WriteChecks,
  grew: (totalBytes: number) => void,
): Promise<ArchiveFacts> {
  const { O_WRONLY, O_NOFOLLOW } = constants;
  // When writing fails first, the engine's own failure is only its echo.
  checks.result?.catch(() => undefined);
  const handle = await open(path, O_WRONLY | O_NOFOLLOW).catch((error: unknown) => {
    throw toLocalError(error, `cannot write to ${folder}`);
  });
  try {
    const hash = checks.result === undefined ? createHash("sha256") : undefined;
    const { sizeBytes } = await writeAll(bytes, {
      handle,
      folder,
      signal,
      ...(hash === undefined ? {} : { hash }),
      onWritten: grew,
    });
    await syncWritten(handle, folder, sizeBytes);
    const facts = (checks.result === undefined ? undefined : await orAborted(checks.result, signal)) ?? {
      sizeBytes,
      sha256: hash?.digest("hex") ?? "",
    };
    const { size } = await handle.stat();
    if (facts.sizeBytes !== sizeBytes || size !== sizeBytes) {
      throw new DestinationError(
        "unavailable",
        `${folder} holds ${size} bytes of the archive instead of ${facts.sizeBytes}`,
      );
    }
    await checks.confirm?.();
    signal.throwIfAborted();
    return { sizeBytes, sha256: facts.sha256 };
  } finally {
    await handle.close();
  }
}

/** Removes what dead runs left in the spool folder, which is private to this sidecar; returns how many files went. */
export async function cleanSpool(folder: string, signal: AbortSignal = AbortSignal.timeout(60_000)): Promise<number> {
  return await removeLeftoversIn(folder, "anyone", signal);
}
