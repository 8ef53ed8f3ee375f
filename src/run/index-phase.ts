import type { ArchiveBlock, ArchiveSource } from "../contracts/archive.ts";
import type { Destination } from "../contracts/destination.ts";
import type { RunContext } from "./context.ts";
import type { Recorder } from "./recorder.ts";
import { createIndexWriter, type IndexWriter } from "../archive/index/writer.ts";
import { BACKUP_COMPRESSION_LEVEL } from "../archive/settings.ts";
import { cutRuleOf } from "../archive/write/blocks.ts";
import { indexNameOf } from "../delivery/record-names.ts";
import { readCgroupLimits } from "../lib/cgroup.ts";
import { messageOf } from "../lib/errors.ts";

/** The index of a run's archive: it costs a note at most, whatever goes wrong. */
export interface RunIndex {
  /** Begins a new one (the archive may be made twice); gives what takes the archive's blocks. */
  begin(): (block: ArchiveBlock) => void;
  /** Puts it beside the archive, at every destination that the recorder knows to have stored that. */
  store(recorder: Recorder, destinations: readonly Destination[], signal: AbortSignal): Promise<void>;
}

/** For each destination. About 25 bytes an entry are sent. */
const STORE_LIMIT_MS = 10 * 60_000;

const MOST_MEMORY_BYTES = 128 * 1024 * 1024;
/** Of the container's memory, where that is limited. */
const MEMORY_SHARE = 1 / 6;

export function createRunIndex({ job, log, host, version }: RunContext): RunIndex {
  let writer: IndexWriter | undefined;

  const finish = (recorder: Recorder): ArchiveSource | undefined => {
    const { archive } = recorder.report();
    if (writer === undefined || archive?.blocksSha256 === undefined) return undefined;
    const { name, sizeBytes, sha256, blocksSha256, compression, compressor } = archive;
    return writer.finish({
      archive: { name, sizeBytes, sha256 },
      blocksSha256,
      cutRule: { ...cutRuleOf(compression) },
      compression,
      compressor,
      level: job.values.get(BACKUP_COMPRESSION_LEVEL),
      lifeboat: version,
    });
  };
  const note = (recorder: Recorder, text: string): void => {
    recorder.note(text);
    log.warn(text);
  };

  return {
    begin() {
      const begun = createIndexWriter(
        Math.min(MOST_MEMORY_BYTES, (readCgroupLimits().memoryBytes ?? Infinity) * MEMORY_SHARE),
      );
      writer = begun;
      return (block) => begun.add(block);
    },
    async store(recorder, destinations, signal) {
      const { archive, deliveries } = recorder.report();
      let index: ArchiveSource | undefined;
      try {
        index = finish(recorder);
      } catch (thrown) {
        note(recorder, `the archive has no index: ${messageOf(thrown)}`);
      }
      writer = undefined;
      if (index === undefined || archive === undefined) return;
      const body = index;
      const owner = { host, job: job.name, runId: recorder.id };
      const put = async (destination: Destination): Promise<void> => {
        const bounded = AbortSignal.any([signal, AbortSignal.timeout(STORE_LIMIT_MS)]);
        try {
          await destination.put(indexNameOf(archive.name), body, { area: "record", owner, signal: bounded });
        } catch (thrown) {
          if (!signal.aborted)
            note(recorder, `could not store the archive's index at ${destination.label}: ${messageOf(thrown)}`);
        }
      };
      const stored = new Set(
        deliveries.filter(({ status }) => status === "stored").map(({ destination }) => destination),
      );
      await Promise.all(destinations.filter(({ label }) => stored.has(label)).map(put));
      signal.throwIfAborted();
    },
  };
}
