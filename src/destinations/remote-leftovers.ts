import { sleep } from "../lib/clock.ts";
import { type Owner, ownerHash, parsePartialName, writerState } from "./partial-name.ts";

/** An unfinished file as a store's listing shows it. */
export interface RemotePartial {
  /** Base name. */
  readonly name: string;
  /** Whatever the store needs to name it. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Milliseconds since the epoch, by the store's clock. */
  readonly modifiedAt: number;
}

export interface RemoteLeftovers {
  /** Everything whose name could be an unfinished file; others are ignored. */
  find(): Promise<readonly RemotePartial[]>;
  /** A missing one is success. */
  remove(partial: RemotePartial): Promise<void>;
}

/** What no living run of this job left may belong to another sidecar that shares the folder: it gets this long. */
export const FOREIGN_LEFTOVER_MS = 7 * 24 * 3600 * 1000;
/** A live upload changes its file all the time; one that did not for this long has no writer. */
const SURELY_STILL_MS = 10 * 60 * 1000;
const WATCH_MS = 5_000;

/**
 * Removes what dead runs left in a store that has files and renames: those of `owner` at once, others after seven days, a
 * living writer's never. Returns how many went.
 */
export async function removeRemoteLeftovers(
  store: RemoteLeftovers,
  owner: Owner,
  signal: AbortSignal,
  options: { readonly now?: number; readonly watchMs?: number } = {},
): Promise<number> {
  const now = options.now ?? Date.now();
  const own = ownerHash(owner);
  let removed = 0;
  const watched = new Map<string, string>();
  const found = await store.find();
  for (const partial of found) {
    signal.throwIfAborted();
    const mark = parsePartialName(partial.name);
    if (mark === undefined) continue;
    const writer = writerState(mark);
    if (writer === "alive") continue;
    const ageMs = now - partial.modifiedAt;
    if (mark.owner !== own ? ageMs > FOREIGN_LEFTOVER_MS : writer === "dead" || ageMs > SURELY_STILL_MS) {
      await store.remove(partial);
      removed += 1;
    } else if (mark.owner === own) {
      watched.set(partial.path, signOfLife(partial));
    }
  }
  if (watched.size === 0) return removed;
  // Two containers may bear one host name: only a file that stands still belongs to a dead one.
  await sleep(options.watchMs ?? WATCH_MS, signal);
  for (const partial of await store.find()) {
    if (watched.get(partial.path) !== signOfLife(partial)) continue;
    await store.remove(partial);
    removed += 1;
  }
  return removed;
}

function signOfLife(partial: RemotePartial): string {
  return `${partial.sizeBytes} ${partial.modifiedAt}`;
}
