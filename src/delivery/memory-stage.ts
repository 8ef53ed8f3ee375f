import { createHash } from "node:crypto";
import { orAborted, untilAborted } from "../lib/abortable.ts";
import { createMemoryWindow } from "./memory-window.ts";
import type { ArchiveFacts } from "./reader.ts";
import type { LocalFailure, StagedArchive } from "./staged-archive.ts";

export interface MemoryStageOptions {
  /** Most of the archive that is held at a time, bytes. */
  readonly windowBytes: number;
  /** What the archive may become; 0: unknown. */
  readonly estimateBytes: number;
  readonly localFailure: LocalFailure | undefined;
  /** For tests. */
  readonly stalledMs?: number;
}

/** No file at all: the archive flows from the engine through a bounded window to all that read it at the same time. */
export function stageInMemory(options: MemoryStageOptions): StagedArchive {
  const { windowBytes, estimateBytes, stalledMs } = options;
  const window = createMemoryWindow({
    limitBytes: windowBytes,
    estimateBytes,
    ...(stalledMs === undefined ? {} : { stalledMs }),
  });
  return {
    path: undefined,
    place: "memory",
    local: undefined,
    localFailure: options.localFailure,
    finished: window.finished,
    openReader: () => window.openReader(),
    async write(bytes, signal, checks = {}) {
      // When nobody reads any more, the engine's own failure is only its echo.
      checks.result?.catch(() => undefined);
      try {
        const hash = checks.result === undefined ? createHash("sha256") : undefined;
        let sizeBytes = 0;
        for await (const chunk of untilAborted(bytes, signal)) {
          hash?.update(chunk);
          sizeBytes += chunk.byteLength;
          await window.write(chunk, signal);
        }
        const facts: ArchiveFacts = (checks.result && (await orAborted(checks.result, signal))) ?? {
          sizeBytes,
          sha256: hash?.digest("hex") ?? "",
        };
        if (facts.sizeBytes !== sizeBytes)
          throw new Error(`${sizeBytes} bytes of the archive arrived instead of ${facts.sizeBytes}`);
        await checks.confirm?.();
        signal.throwIfAborted();
        window.complete({ sizeBytes, sha256: facts.sha256 });
        return { sizeBytes, sha256: facts.sha256 };
      } catch (error) {
        window.fail(error);
        throw error;
      }
    },
    publishLocal: () => Promise.reject(new Error("an archive in memory lies in no destination's folder")),
    async discard() {
      window.fail(new Error("the staged archive was discarded"));
    },
  };
}
