import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Destination, JobTag, Stage } from "../contracts/destination.ts";
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
import { openGrowingFile } from "./growing-file.ts";
import { stageInMemory } from "./memory-stage.ts";
import type { ArchiveFacts } from "./reader.ts";
import type { LocalFailure, StagedArchive, WriteChecks } from "./staged-archive.ts";

export interface StageOptions {
  /** The archive's final name. */
  readonly name: string;
  readonly owner: JobTag;
  /** Written to directly, where it can stage. */
  readonly local: Destination | undefined;
  /** Used without a local destination, or where that fails at once. Undefined: not wanted. Made where missing. */
  readonly spoolFolder: string | undefined;
  /** Size of the memory window that serves where no folder is wanted, or none can take the archive. Undefined: not wanted. */
  readonly windowBytes?: number | undefined;
  /** What the archive will probably need, bytes; 0: unknown. */
  readonly neededBytes: number;
  /** When the archive phase is repeated without the local folder: what happened the first time. */
  readonly localFailure?: LocalFailure;
  readonly signal: AbortSignal;
  onNote?(text: string): void;
}

/** Rejects with a `DestinationError` where no folder can take the archive, and memory may not. */
export async function openStage(options: StageOptions): Promise<StagedArchive> {
  const { local, spoolFolder, signal, neededBytes, windowBytes } = options;
  signal.throwIfAborted();
  let { localFailure } = options;
  if (local?.stage !== undefined) {
    try {
      const stage = await stageChecked(() => stageIn(local, options), neededBytes);
      return await openStaged(stage, options, local, localFailure);
    } catch (error) {
      if ((spoolFolder === undefined && windowBytes === undefined) || signal.aborted) throw error;
      localFailure = { destination: local, error };
      options.onNote?.(`${local.label} can't take the archive, the other destinations go on: ${messageOf(error)}`);
    }
  }
  if (spoolFolder !== undefined) {
    try {
      const stage = await stageChecked(() => stageInSpool(spoolFolder, options), neededBytes);
      return await openStaged(stage, options, undefined, localFailure);
    } catch (error) {
      if (windowBytes === undefined || signal.aborted) throw withSpoolHint(error);
      options.onNote?.(`${messageOf(error)}; the archive goes through memory instead`);
    }
  }
  if (windowBytes === undefined) throw new DestinationError("invalid", "there is no folder to stage the archive in");
  return stageInMemory({ windowBytes, estimateBytes: neededBytes, localFailure });
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
      finished: growing.finished,
      openReader: () => growing.openReader(),
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
      ...(local === undefined ? { keep: (name) => rename(stage.path, join(folder, name)) } : {}),
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
