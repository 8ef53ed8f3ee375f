import type { ArchiveNotice } from "../../contracts/archive.ts";
import { createBlockWriter } from "./block-writer.ts";
import type { CutRule } from "./blocks.ts";
import { createEntryLog } from "./entry-log.ts";
import { createExcludes } from "./exclude.ts";
import type { FileCalls } from "./file-calls.ts";
import { nodeCalls } from "./file-calls-node.ts";
import { createHardLinks } from "./hard-links.ts";
import { END_BYTES } from "./headers.ts";
import { createOwnPaths } from "./own-paths.ts";
import { planSources } from "./sources.ts";
import { createTally, sourceResult } from "./tally.ts";
import { createVisit } from "./visit.ts";
import { walkSources } from "./walk.ts";
import type { EndMessage, WalkOptions } from "./worker-protocol.ts";
import { writeZeros } from "./zeros.ts";

/** Where blocks go, each with the packed entries (see entry-log.ts) that were finished in it. */
export interface TreeSink {
  /** An empty buffer of the full capacity; waits for one. */
  emptyBuffer(): Buffer;
  send(buffer: Buffer, bytes: number, entries: Uint8Array<ArrayBuffer>): void;
}

export interface TreeWatcher {
  onNotice(notice: ArchiveNotice): void;
  /** Before each entry; its full path as a byte string. */
  onVisit(path: string, files: number, bytesRead: number): void;
  /** Before each entry and each read; may throw to end it all. */
  checkAbort(): void;
}

/** Turns all sources into blocks of an uncompressed tar archive, its end included, with synchronous calls only. */
export function storeTree(
  options: WalkOptions,
  rule: CutRule,
  sink: TreeSink,
  watcher: TreeWatcher,
  calls: FileCalls = nodeCalls,
): EndMessage {
  const entryLog = createEntryLog();
  const writer = createBlockWriter(rule, {
    emptyBuffer: () => sink.emptyBuffer(),
    send: (buffer, bytes) => sink.send(buffer, bytes, entryLog.take()),
  });
  const tally = createTally(watcher.onNotice);
  const ownPaths = createOwnPaths(options.ownPaths);
  const plan = planSources(options.sources);
  const visit = createVisit({
    writer,
    entryLog,
    rule,
    excludes: createExcludes(options.excludeRegexp, options.excludeGlobs),
    ownPaths,
    tally,
    hardLinks: options.hardlinks === "link" ? createHardLinks() : undefined,
    calls,
    checkAbort: watcher.checkAbort,
  });
  walkSources(plan, {
    calls,
    tally,
    ownPaths,
    visit(place) {
      watcher.onVisit(place.path, tally.counts.files, tally.bytesRead);
      return visit(place);
    },
  });
  writer.cut();
  // The end is a block of its own: it would otherwise change the last block of the tree.
  writeZeros(writer.buffer, 0, END_BYTES);
  writer.used = END_BYTES;
  writer.cut();
  return {
    type: "end",
    counts: tally.counts,
    bytesRead: tally.bytesRead,
    sources: plan.given.map((source) => sourceResult(source.text, source.tally)),
    notices: tally.notices,
    incomplete: tally.incomplete,
  };
}
