import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { deliverAll } from "../../src/delivery/deliver.ts";
import { openStoredArchive } from "../../src/delivery/stored-archive.ts";
import { OWNER } from "../conformance/harness.ts";
import { sampleBytes, sha256 } from "../conformance/sources.ts";
import { faultKinds, openFrom } from "./kinds.ts";
import { startFaultProxy } from "./proxy.ts";

/**
 * On a slow line a single part takes longer than a store may be silent; its bytes move all the time. Ten megabytes of it fill
 * the buffers of this machine at once, so the end is quiet for seven seconds: much less than the limit.
 */
const BYTES_PER_SECOND = 1_500_000;
const SILENT_MS = 12_000;
const body = sampleBytes(BYTES_PER_SECOND * 20);
/** One part of all for S3; for Dropbox few pieces, as each connection has such buffers. */
const SETTINGS = { AWS_PART_SIZE: "32", DROPBOX_CONCURRENCY_LEVEL: "1" };

describe.concurrent("a line on which one part takes longer than a store may be silent", () => {
  for (const kind of Object.values(faultKinds)) {
    it(kind.label, { timeout: 120_000 }, async () => {
      const folder = mkdtempSync(join(tmpdir(), "lifeboat-slow-"));
      const server = await kind.start();
      const proxy = await startFaultProxy({
        port: server.port,
        fault: { kind: "rate", bytesPerSecond: BYTES_PER_SECOND },
      });
      const destination = await openFrom({ ...server.settings(proxy.port, "slow"), ...SETTINGS });
      try {
        const file = join(folder, "site.tar.gz");
        writeFileSync(file, body);
        const archive = await openStoredArchive(file, { sizeBytes: body.byteLength, sha256: sha256(body) });
        const [report] = await deliverAll(archive, [destination], {
          name: "site.tar.gz",
          owner: OWNER,
          signal: AbortSignal.timeout(110_000),
          silentMs: SILENT_MS,
        });
        expect(report?.error ?? "").toBe("");
        expect(report).toMatchObject({ status: "stored", attempts: 1 });
        expect(report?.durationMs).toBeGreaterThan(SILENT_MS);
        expect(await server.look("slow")).toEqual(new Map([["site.tar.gz", sha256(body)]]));
        await archive.close();
      } finally {
        await destination.close();
        await proxy.close();
        await server.stop();
        rmSync(folder, { recursive: true });
      }
    });
  }
});
